"""The tabs of the page: one folder each, with its views and their templates, and a row in `TABS`."""

from explorer.ui.tabs.attribution import tab as attribution
from explorer.ui.tabs.code_walk import tab as code_walk
from explorer.ui.tabs.compare import tab as compare
from explorer.ui.tabs.maps import tab as maps
from explorer.ui.tabs.mixing import tab as mixing
from explorer.ui.tabs.overview import tab as overview
from explorer.ui.tabs.registry import TabRow
from explorer.ui.tabs.reweighting import tab as reweighting
from explorer.ui.tabs.survey import tab as survey

TABS = (
    TabRow("overview", "Overview", overview.build),
    TabRow("maps", "Maps", maps.build),
    TabRow("reweighting", "Reweighting", reweighting.build),
    TabRow("attribution", "Attribution", attribution.build),
    TabRow("code", "Code walk", code_walk.build),
    TabRow("mixing", "Mixing", mixing.build),
    TabRow("compare", "Compare", compare.build),
    TabRow("survey", "Survey", survey.build),
)
