"""The command line answers people and programs, and refuses with a sentence."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from explorer import Options
from explorer.attribution.options import OPTIONS
from explorer.command_line import main
from explorer.command_line.arguments import options_of, parser
from explorer.command_line.commands import COMMANDS

ABOUT = ("--model", "vip_nano", "--weights", "scenes", "--device", "cpu")


@pytest.fixture
def pictures(tmp_path, star):
    """Two pictures and a file that is none."""
    star.save(tmp_path / "star.png")
    star.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png")
    (tmp_path / "text.png").write_text("no picture")
    return {path.stem: str(path) for path in tmp_path.iterdir()}


@pytest.fixture
def said(capsys):
    """What a command prints as JSON, its sentences, and how it ended."""

    def asked(*words: str):
        capsys.readouterr()
        ended = main([*words, *ABOUT, "--json"])
        out, err = capsys.readouterr()
        return (json.loads(out) if out else None), err, ended

    return asked


def test_several_pictures_are_answered_about_and_what_is_none_gets_its_sentence(said, pictures, explorer):
    found, err, ended = said("inspect", pictures["star"], pictures["text"], pictures["turned"])
    assert [one["picture"] for one in found] == [pictures["star"], pictures["turned"]]
    for one in found:
        expected = explorer.predict("vip_nano", one["picture"], "scenes")
        assert [told["label"] for told in one["predictions"]] == [told.label for told in expected]
        assert one["predictions"][0]["probability"] == pytest.approx(expected[0].probability, rel=1e-5)
        assert (one["digest"], one["weights"]) == (explorer.digest(one["picture"]), "scenes")
    assert err == f"{pictures['text']}: This file is not a picture that can be read; use PNG, JPEG, " + (
        "WebP, GIF, BMP or TIFF.\n"
    )
    assert ended == 2


def test_a_map_is_that_of_the_library_with_its_unit_and_options_and_is_kept(
    said, pictures, explorer, tmp_path
):
    out = tmp_path / "out"
    words = ("--method", "smooth_grad", "--samples", "3", "--target", "4", "--out", str(out))
    found, _, ended = said("attribute", pictures["star"], *words)
    *_, expected = explorer.attribute(
        "vip_nano", pictures["star"], "scenes", method="smooth_grad", target=4, options=Options(samples=3)
    )
    np.testing.assert_allclose(found["values"], expected.values, rtol=1e-5, atol=1e-7)
    assert (found["unit"], found["options"]) == ("logit per unit of input", {"samples": 3, "against": None})
    assert (found["target"], found["label"], ended) == (4, "ring", 0)
    with np.load(out / "star.smooth_grad.npz") as kept:
        np.testing.assert_array_equal(kept["values"], np.float32(found["values"]))
        assert (str(kept["axes"]), str(kept["unit"])) == ("row column", found["unit"])
    with Image.open(out / "star.smooth_grad.png") as drawn:
        assert drawn.width > 300
    assert json.loads((out / "attribute.json").read_text("utf-8")) == found


def test_shares_sum_to_one_and_taking_one_away_changes_the_logit(said, pictures, explorer):
    shares, _, _ = said("reweight", pictures["star"])
    assert len(shares["blocks"]) == 6
    for block in shares["blocks"]:
        assert sum(block["mean"]) == pytest.approx(1)
    *_, expected = explorer.knock_out("vip_nano", pictures["star"], "scenes", target=4, mode="equal")
    table, _, ended = said("knock-out", pictures["star"], "--target", "4", "--mode", "equal")
    np.testing.assert_allclose(table["delta"], expected.delta, rtol=1e-4, atol=1e-5)
    assert (table["branches"], table["mode"], ended) == (["height", "width", "channel"], "equal", 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("inspect", "/nowhere.png"), "/nowhere.png: This picture file could not be opened.\n"),
        (("attribute", "{star}", "--method", "lrp"), "LRP has no rule for 13 LayerNorm, 12 GELU"),
        (("attribute", "{star}", "--target", "99"), "The classes are numbered 0 to 11"),
        (("attribute", "{star}", "--method", "var_grad", "--samples", "9999"), "samples goes from 1 to 500"),
        (("inspect", "{star}", "--out", "{star}/below"), "Nothing can be written to"),
    ],
)
def test_a_mistake_ends_with_two_and_a_sentence(capsys, pictures, words, sentence):
    assert main([word.format(**pictures) for word in (*words, *ABOUT)]) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert err.count("\n") == 1
    assert out == "" or "--out" in words  # what could not be kept was printed


def test_people_read_lines(capsys, pictures):
    assert main(["inspect", pictures["star"], *ABOUT]) == 0
    assert main(["reweight", pictures["star"], *ABOUT]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{pictures['star']}: star ")
    assert "stages.0.blocks.0.token_mixing" in told


def test_every_option_of_the_methods_has_its_word():
    given = {"layer": "stem.output", "against": 3, "noise": 0.25, "shape": "slic", "baseline": "blur"}
    given |= {name: 7 for name, spec in OPTIONS.items() if spec.kind == "whole"}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    assert asdict(options_of(parser().parse_args(["attribute", "a.png", *words]))) == given
    assert options_of(parser().parse_args(["attribute", "a.png"])) == Options()


def test_every_command_is_offered_and_carried_out():
    offered = parser().format_help().split("{")[1].split("}")[0]
    assert set(offered.split(",")) == set(COMMANDS)
