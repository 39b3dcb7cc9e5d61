"""A model as the command line asks for it, and models of the Hub: what is read, what is refused."""

import json

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save, save_file

import app
from explorer.any_model import hub_models
from explorer.engine.limits import Limits
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.better_weights import first_here
from explorer.ui.first import FIRST, SHOWS, First
from models.preprocess import Preprocess
from models.sources import Hub
from tests.foreign import CONFIG, SIDE, beside_timm, like_timm, small
from tests.loopback import serving

NAMES = ["ant", "bee", "cat", "dog", "elk"]


@pytest.fixture
def labels(tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(NAMES), "utf-8")
    return tmp_path / "names.txt"


def test_the_page_opens_on_a_photograph_that_is_told_rightly(explorer):
    weights = first_here(FIRST.model, str(FIRST.picture))
    likeliest, *_ = explorer.predict(FIRST.model, FIRST.picture, weights)
    assert (weights, likeliest.label) == ("cifar10", SHOWS[FIRST.picture.stem])


def test_a_function_of_a_module_gives_a_model_with_the_weights_and_names_asked_for(
    explorer, star, labels, tmp_path
):
    torch.manual_seed(7)
    other = small()
    for one in other.parameters():
        torch.nn.init.normal_(one)
    save_file(other.state_dict(), tmp_path / "other.safetensors")
    told = str(tmp_path / "other.safetensors"), labels, [f"size={SIDE}", "mean=0.5,0.5,0.5"]
    assert explorer.any_model.opened("tests.foreign:small", *told) == ("tests.foreign:small", "")
    image, _ = explorer.image("tests.foreign:small", star)
    with torch.no_grad():
        expected = other(image)[0]
    found = explorer.predict("tests.foreign:small", star)
    assert [one.logit for one in found] == pytest.approx(sorted(expected.tolist(), reverse=True), abs=1e-5)
    assert {one.label for one in found} == set(NAMES)
    assert explorer.load("tests.foreign:small").preprocess == Preprocess(size=SIDE, mean=(0.5, 0.5, 0.5))


def test_a_model_of_timm_may_have_been_trained_for_other_classes(explorer, star, labels, monkeypatch):
    beside_timm(monkeypatch)
    labels.write_text("left\nright", "utf-8")
    assert explorer.any_model.opened("timm:tiny", "", labels, ["crop=1.0"]) == ("tiny", "")
    assert {one.label for one in explorer.predict("tiny", star)} == {"left", "right"}
    assert explorer.load("tiny").preprocess.crop == 1.0
    assert explorer.load("tiny").preprocess.mean == CONFIG["mean"]
    assert explorer.any_model.opened("timm:tiny", "random") == ("timm:tiny", "random")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("nothing.here:made",), "gives no model"),
        (("tests.foreign:SIDE",), "gives no model"),
        (("tests.foreign:like_timm",), "has to give an nn.Module"),
        (("tests.foreign:made", "absent.safetensors"), "no file absent.safetensors"),
        (("tests.foreign:made", "", "absent.txt"), "no text absent.txt"),
        (("tests.foreign:made", "", None, ["crop=0.9"]), "Say the size"),
        (("tests.foreign:made", "", None, ["size=big"]), "'size=big' is no way"),
        (("tests.foreign:made", "", None, ["size=32", "colour=no"]), "'colour=no' is no way"),
        (("tests.foreign:made", "", None, ["size=32", "channels=grey"]), "'channels=grey' is no way"),
        (("vip_nano", "", None, ["size=32"]), "vip_nano has its own classes"),
        (("no_model",), "There is no model 'no_model'"),
    ],
    ids=str,
)
def test_what_cannot_be_opened_is_said_in_a_sentence(asked, said, explorer):
    with pytest.raises(ChoiceError, match=said):
        explorer.any_model.opened(*asked)


def test_strangers_are_served_no_module_whoever_asks():
    hosted = Explorer(device="cpu", limits=Limits(hosted=True))
    for name in ("tests.foreign:made", "timm:hf-hub:owner/name"):
        with pytest.raises(ChoiceError, match="There is no model"):
            hosted.any_model.opened(name)


def test_the_program_ends_with_2_and_a_sentence_before_it_serves(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["app.py", "--device", "cpu", "--model", "nothing.here:made"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_seen_first_is_said_as_a_link_says_it():
    assert FIRST.query == {}
    assert First("fasternet_nano").query == {"model": "fasternet_nano"}
    assert First("fasternet_nano", "random").query == {"model": "fasternet_nano", "weights": "random"}
    given = First("fasternet_nano", "mine.pth").query
    assert given == {"model": "fasternet_nano", "weights": "file", "file": "mine.pth"}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The Hub on this machine."""
    beside_timm(monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serving() as (address, shelf):
        monkeypatch.setattr(
            hub_models, "Hub", lambda name, file: Hub(name, file, endpoint=address, cache=str(tmp_path))
        )
        yield shelf
    hub_models._KNOWN.clear()


def test_a_model_of_the_hub_is_named_by_its_configuration_and_fetched_when_asked_for(explorer, star, hub):
    wanted = {key: value for key, value in CONFIG.items() if key not in ("num_classes", "hf_hub_id")}
    told = {
        "architecture": "tiny",
        "num_classes": 3,
        "label_names": ["x", "y", "z"],
        "pretrained_cfg": wanted,
    }
    hub.files["/owner/name/resolve/main/config.json"] = json.dumps(told).encode()
    name = "timm:hf-hub:owner/name"
    assert explorer.labels(name) == ("x", "y", "z")
    assert hub.gets == 1
    untrained = explorer.predict(name, star, "random")
    assert hub.gets == 1
    model = like_timm().create_model("tiny", num_classes=3)
    for one in model.parameters():
        torch.nn.init.normal_(one)
    hub.files["/owner/name/resolve/main/model.safetensors"] = save(model.state_dict())
    image, _ = explorer.image(name, star)
    with torch.no_grad():
        expected = model(image)[0].tolist()
    found = explorer.predict(name, star)
    assert [one.logit for one in found] == pytest.approx(sorted(expected, reverse=True), abs=1e-4)
    assert [one.logit for one in found] != [one.logit for one in untrained]


def test_what_the_hub_does_not_have_is_said_in_a_sentence(explorer, hub):
    hub.files["/owner/other/resolve/main/config.json"] = b'{"architecture": "unheard_of"}'
    hub.files["/owner/words/resolve/main/config.json"] = b"no configuration"
    for name, said in (
        (
            "owner/nothing",
            "No configuration of a model of timm could be had from huggingface.co/owner/nothing",
        ),
        ("owner/words", "No configuration"),
        ("owner/other", "unheard_of"),
        ("../../etc", "no name of the Hub"),
    ):
        with pytest.raises(ChoiceError, match=said):
            explorer.labels(f"timm:hf-hub:{name}")
