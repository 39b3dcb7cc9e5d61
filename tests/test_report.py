"""A report stands alone, and its recipe comes out again or says that it does not."""

import json
import re

import pytest

from explorer.command_line import main
from explorer.report.recipe import TOLERANCE, difference, replay

QUICK = ("--method", "saliency", "--device", "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory, star):
    """The folder with the picture, the report and its recipe."""
    folder = tmp_path_factory.mktemp("report")
    star.save(folder / "star.png")
    about = ("--model", "vip_nano", "--weights", "scenes")
    out = str(folder / "star.html")
    assert main(["report", str(folder / "star.png"), *about, *QUICK, "--out", out]) == 0
    return folder


def recipe_of(folder) -> dict:
    return json.loads((folder / "star.recipe.json").read_text("utf-8"))


def test_the_report_needs_nothing_but_itself_and_tells_what_was_found(made, explorer):
    html = (made / "star.html").read_text("utf-8")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(addresses) == 4
    assert all(one.startswith("data:image/png;base64,") for one in addresses)
    assert "<script" not in html
    likeliest, *_ = explorer.predict("vip_nano", made / "star.png", "scenes")
    assert f"{100 * likeliest.probability:.1f} %" in html
    assert "Saliency" in html
    assert "856,684" in html


def test_the_recipe_holds_what_the_library_says(made, explorer):
    found = recipe_of(made)
    run = explorer.inspect("vip_nano", made / "star.png", "scenes")
    assert found["results"]["logits"] == pytest.approx(run.logits[0].tolist(), rel=1e-5, abs=1e-5)
    assert found["picture"]["digest"] == explorer.digest(made / "star.png")
    assert (found["method"], found["options"]) == ("saliency", {"against": None})
    assert len(found["results"]["shares"]) == 6


def test_the_recipe_in_the_report_is_the_file_beside_it(made):
    told = re.search(r'<pre id="recipe">(.*)</pre>', (made / "star.html").read_text("utf-8"), re.DOTALL)
    assert json.loads(told[1].replace("&#34;", '"')) == recipe_of(made)


def test_a_recipe_comes_out_again(made, capsys):
    words = ["replay", str(made / "star.recipe.json"), str(made / "star.png"), "--device", "cpu", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agrees"]
    assert told["worst"] <= told["tolerance"] == TOLERANCE
    assert set(told["differences"]) == {"logits", "shares", "attribution", "target"}


def test_numbers_that_differ_are_told(made, explorer):
    other = recipe_of(made)
    other["results"]["logits"][0] += 0.5
    found = replay(explorer, other, made / "star.png")
    assert not found.agrees
    assert found.differences["logits"] == found.worst > TOLERANCE
    assert found.differences["attribution"] <= TOLERANCE


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"picture": {"digest": "0"}}, "not the picture of the recipe"),
        ({"weights_sha256": "0"}, "are not those of the recipe"),
        ({"format": 99}, "no recipe of format 1"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"options": {"spell": 1}}, "no option spell"),
        ({"options": {"steps": "many"}}, "steps cannot be 'many'"),
        ({"picture": []}, "picture is missing"),
        ({"results": None}, "results is missing"),
        (None, "it is not JSON"),
    ],
)
def test_what_is_no_recipe_of_this_picture_and_model_is_refused(made, tmp_path, capsys, change, sentence):
    path = tmp_path / "other.json"
    path.write_text("{" if change is None else json.dumps(recipe_of(made) | change), "utf-8")
    assert main(["replay", str(path), str(made / "star.png"), "--device", "cpu"]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_report_is_a_file_about_one_picture(made, capsys):
    for words, sentence in (
        (["report", str(made / "star.png")], "needs --out FILE.html"),
        (["report", "a.png", "b.png", "--out", "c.html"], "about one picture"),
    ):
        assert main([*words, "--device", "cpu"]) == 2
        assert sentence in capsys.readouterr().err


def test_results_of_other_shapes_do_not_agree():
    assert difference([1.0, 2.0], [1.0, 2.0]) == 0
    assert difference([1.0, 2.0], [1.0, 1.0]) == 0.5
    for other in ([1.0], None, "text", {"a": 1.0}, [1.0, None]):
        assert difference([1.0, 2.0], other) == float("inf")
    assert difference({"a": [1.0]}, {"b": [1.0]}) == float("inf")
