"""The HTTP contract, through a running server and its own client."""

import re
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from explorer.features.feature_maps import feature_map
from explorer.figures.colour import painted, scale_of
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.gate_changes import Flattened
from explorer.reweighting.interventions import Uniform
from explorer.ui.endpoint_views import Seen
from explorer.ui.endpoints import OFFERED
from models import card, list_models
from tests.test_security import told


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


@pytest.fixture(scope="module")
def picture(star, tmp_path_factory):
    path = tmp_path_factory.mktemp("endpoints") / "star.png"
    star.save(path)
    return handle_file(str(path))


def test_models_are_listed_with_their_weights(client):
    rows = client.predict(api_name="/models")
    assert [row["name"] for row in rows] == list_models()
    (nano,) = [row for row in rows if row["name"] == "vip_nano"]
    assert nano["weights"] == [*card("vip_nano").weights, "random"]
    assert nano["parameters"] == 856_684
    assert set(nano) == {"name", "family", "parameters", "image_size", "weights", "paper"}


DRAWN = {name for name, (handler, _) in OFFERED.items() if signature(handler).return_annotation is Seen}
FIRST = ("predict", "branch_weights", "what_if", "knock_out", "attribute", "score_card", "code_walk")


@pytest.fixture(scope="module")
def documented(client):
    return client.view_api(return_format="dict", print_info=False)["named_endpoints"]


def test_every_endpoint_says_what_it_does_and_every_parameter_has_an_example(documented):
    assert set(documented) == {f"/{name}" for name in OFFERED}
    for name, (handler, _) in OFFERED.items():
        assert documented[f"/{name}"]["description"].rstrip(".") in handler.__doc__.replace("\n", " ")
        assert len(documented[f"/{name}"]["description"]) > 20
        names = [one["parameter_name"] for one in documented[f"/{name}"]["parameters"]]
        assert names == [*signature(handler).parameters][1:]
    for name in FIRST:
        names = [one["parameter_name"] for one in documented[f"/{name}"]["parameters"]]
        assert names[:3] == ["picture", "model", "weights"]
    (shares,) = (one for one in documented["/what_if"]["parameters"] if one["parameter_name"] == "shares")
    assert shares["example_input"] == [0.5, 0.25, 0.25]


def test_every_parameter_is_typed(documented):
    kinds = {
        one["parameter_name"]: one["python_type"]["type"]
        for told in documented.values()
        for one in told["parameters"]
    }
    assert {kinds.pop("picture"), kinds.pop("second")} == {"filepath"}
    assert all("list" in kinds.pop(name) for name in ("shares", "methods"))
    assert {kinds.pop("target"), kinds.pop("channel")} == {"int"}
    assert {kinds.pop("row"), kinds.pop("column")} == {"float"}
    assert set(kinds.values()) == {"str"}


@pytest.mark.parametrize("name", [name for name in OFFERED if name != "models"])
def test_the_example_of_every_endpoint_works_as_it_stands(documented, server, name):
    """Posted as the API page shows it; the picture is named as it lies in the project."""
    values = [one["example_input"] for one in documented[f"/{name}"]["parameters"]]
    assert all(one["path"].startswith("assets/examples/") for one in values if isinstance(one, dict))
    said = told(server, name, values)
    assert said.startswith("event: complete"), said
    assert '"path"' in said or name not in DRAWN


def test_a_view_answers_with_numbers_and_a_picture_of_them(client, picture, explorer, star):
    layer, method = "stages.0.blocks.0.output", "saliency"
    one, drawn = client.predict(picture, "vip_nano", "scenes", layer, 3, api_name="/channel")
    expected = feature_map(explorer.inspect("vip_nano", star, "scenes"), layer).channel(3)
    np.testing.assert_allclose(one["values"], expected, atol=1e-6)
    scale = scale_of(expected, signed=True)
    with Image.open(drawn) as opened:
        assert opened.format == "PNG"
        np.testing.assert_array_equal(
            np.asarray(opened.convert("RGB"))[8::16, 8::16], painted(expected, scale)
        )
    plain = client.predict(picture, "vip_nano", "scenes", method, None, api_name="/attribute")
    same, _ = client.predict(picture, "vip_nano", "scenes", method, None, api_name="/attribution_map")
    assert same["values"] == plain["values"]


def test_fields_and_likeness_are_those_of_the_library(client, picture, explorer, star):
    layer = "stages.0.blocks.0.output"
    told, _ = client.predict(picture, "vip_nano", "scenes", layer, 0.5, 0.5, api_name="/receptive_field")
    expected = explorer.effective_field("vip_nano", star, "scenes", layer=layer, place=(8, 8))
    np.testing.assert_allclose(told["energy"], expected.energy, rtol=1e-4, atol=1e-8)
    assert (told["place"], told["possible_pixels"]) == ([8, 8], (2 * 16 - 1) * 4 * 4)
    alike = client.predict(picture, "vip_nano", "scenes", "mixer_nano", "scenes", api_name="/likeness")
    table = explorer.likeness(star, ("vip_nano", "scenes"), ("mixer_nano", "scenes"))
    np.testing.assert_allclose(alike["values"], table.values, atol=1e-6)


def test_rows_tell_what_the_library_does(client, picture, explorer, star):
    layer = "stages.1.blocks.0.output"
    told, drawn = client.predict(picture, "vip_nano", "scenes", layer, 3, api_name="/channel_across_depth")
    run = explorer.inspect("vip_nano", star, "scenes")
    for name, values in told["layers"].items():
        np.testing.assert_allclose(values, feature_map(run, name).channel(3), atol=1e-6)
    assert layer in told["layers"]
    with Image.open(drawn) as opened:
        assert opened.size == (256 * len(told["layers"]) + 8 * (len(told["layers"]) - 1), 256)
    grown, _ = client.predict(picture, "vip_nano", "scenes", 0.5, 0.5, api_name="/field_growth")
    assert [one["layer"] for one in grown["layers"]] == list(explorer.depth("vip_nano", "scenes"))
    possible = [one["possible"] for one in grown["layers"]]
    assert possible == sorted(possible)
    assert all(0 < one["half"] <= one["possible"] for one in grown["layers"])
    methods = ["saliency", "lrp"]
    both, _ = client.predict(picture, "vip_nano", "scenes", methods, None, api_name="/side_by_side")
    plain = client.predict(picture, "vip_nano", "scenes", "saliency", None, api_name="/attribute")
    assert both["methods"]["saliency"]["values"] == plain["values"]
    assert "no rule for" in both["methods"]["lrp"]


def test_gates_are_changed_by_name_and_all_at_once(client, picture, explorer, star):
    asked = picture, "mobilevit_nano", "scenes"
    gate = "stages.2.1.transformer.0.attn.attention"
    one = client.predict(*asked, gate, "flattened", None, api_name="/gate_what_if")
    run = explorer.inspect("mobilevit_nano", star, "scenes", interventions=[Flattened(gate)])
    chance = run.logits[0].softmax(dim=0)
    assert one["changed"] == [gate]
    for row in one["after"]:
        assert row["probability"] == pytest.approx(float(chance[row["index"]]), abs=1e-6)
    every = client.predict(*asked, "all", "closed", None, api_name="/gate_what_if")
    assert len(every["changed"]) > 1
    head = client.predict(*asked, gate, "closed", 1, api_name="/gate_what_if")
    assert head["before"] == one["before"] == every["before"] != head["after"] != one["after"]


def test_a_picture_is_predicted(client, picture):
    told = client.predict(picture, "vip_nano", "scenes", api_name="/predict")
    assert (told["model"], told["weights"]) == ("vip_nano", "scenes")
    assert len(told["predictions"]) == 5
    assert told["predictions"][0]["label"] == "star"


def test_branch_weights_are_those_of_the_library(client, picture, explorer, star):
    blocks = client.predict(picture, "vip_nano", "scenes", api_name="/branch_weights")["blocks"]
    expected = branch_weights(explorer.inspect("vip_nano", star, "scenes"))
    for found, block in zip(blocks, expected, strict=True):
        assert (found["block"], tuple(found["branches"])) == (block.block, block.branches)
        np.testing.assert_allclose(found["values"], block.values, atol=1e-6)
        np.testing.assert_allclose(found["mean"], block.mean, atol=1e-6)


def test_what_if_changes_the_prediction_and_nothing_stays_changed(client, picture, explorer, star):
    plain = client.predict(picture, "vip_nano", "scenes", api_name="/predict")["predictions"]
    told = client.predict(picture, "vip_nano", "scenes", "all", [0, 2, 0], api_name="/what_if")
    assert told["before"] == plain
    blocks = branch_weights(explorer.inspect("vip_nano", star, "scenes"))
    changes = [Uniform(block.block, (0.0, 1.0, 0.0)) for block in blocks]
    after = explorer.inspect("vip_nano", star, "scenes", interventions=changes).logits[0].softmax(dim=0)
    for row in told["after"]:
        assert row["probability"] == pytest.approx(float(after[row["index"]]), abs=1e-6)
    one = client.predict(picture, "vip_nano", "scenes", blocks[0].block, [1, 1, 1], api_name="/what_if")
    assert one["after"] != told["after"]
    assert client.predict(picture, "vip_nano", "scenes", api_name="/predict")["predictions"] == plain


def test_as_mlp_is_scaled(client, picture):
    told = client.predict(picture, "as_mlp_nano", "scenes", "all", [1, 1], api_name="/what_if")
    assert told["before"] == told["after"]
    told = client.predict(picture, "as_mlp_nano", "scenes", "all", [1, 0], api_name="/what_if")
    assert told["before"] != told["after"]


def test_the_knock_out_table_is_that_of_the_library(client, picture, explorer, star):
    told = client.predict(picture, "vip_nano", "scenes", None, api_name="/knock_out")
    *_, table = explorer.knock_out("vip_nano", star, "scenes")
    assert told["blocks"] == list(table.blocks)
    assert told["branches"] == ["height", "width", "channel"]
    np.testing.assert_allclose(told["delta"], table.delta, atol=1e-5)


def test_a_score_card_has_its_controls(client, picture):
    told = client.predict(picture, "vip_nano", "scenes", "saliency", None, api_name="/score_card")
    assert set(told["curves"]) == {"saliency", "random", "edges"}
    assert all(len(curve["deletion"]) == len(curve["insertion"]) == 17 for curve in told["curves"].values())
    assert len(told["randomised"]) == 4
    assert len(told["random_scores"]) == 20
    assert re.search("(beats|loses to) random", told["line"])
    assert told["localisation"] is None


def test_a_walk_tells_the_lines_of_the_source(client, picture):
    block = "stages.0.blocks.0.token_mixing"
    told = client.predict(picture, "vip_nano", "scenes", block, api_name="/code_walk")
    source = Path("models/vision_permutator.py").read_text("utf-8").splitlines()
    assert all(source[one["line"] - 1].strip() == one["source"].splitlines()[0] for one in told)
    shares = next(one for one in told if one["source"].startswith("of_height, of_width, of_channel"))
    assert [tensor["shape"] for tensor in shares["tensors"]] == [[1, 1, 1, 64]] * 3
    assert sum(tensor["mean"] for tensor in shares["tensors"]) == pytest.approx(1)


def test_an_attribution_has_its_fields(client, picture):
    told = client.predict(picture, "vip_nano", "scenes", "integrated_gradients", None, api_name="/attribute")
    assert (told["method"], told["label"], told["warning"]) == ("integrated_gradients", "star", None)
    assert np.shape(told["values"]) == (64, 64)
    assert abs(told["completeness_gap"]) < 0.1
    assert told["seconds"] > 0
    other = client.predict(picture, "vip_nano", "scenes", "saliency", 2, api_name="/attribute")
    assert (other["target"], other["label"], other["completeness_gap"]) == (2, "triangle", None)


@pytest.mark.parametrize(
    ("asked", "endpoint", "message"),
    [
        (("vip_x", "scenes"), "/predict", "There is no model 'vip_x'"),
        (("vip_nano", "imagenet"), "/predict", "no weights called 'imagenet'"),
        (("vip_nano", "/etc/passwd.pth"), "/predict", "There is no file passwd.pth"),
        (("vip_nano", "scenes", "all", [-1, 1, 1]), "/what_if", "numbers from zero up"),
        (("vip_nano", "scenes", "all", [0, 0, 0]), "/what_if", "above zero"),
        (("vip_nano", "scenes", "all", [1, 1]), "/what_if", "3 shares are needed; 2 were given"),
        (("vip_nano", "scenes", "all", "half"), "/what_if", "list of numbers"),
        (("vip_nano", "scenes", "block 9", [1, 1, 1]), "/what_if", "no block 'block 9'"),
        (("mixer_nano", "scenes", "all", [1, 1, 1]), "/what_if", "no branches"),
        (("fasternet_nano", "scenes"), "/branch_weights", "no split attention"),
        (("fasternet_nano", "scenes", None), "/knock_out", "no split attention"),
        (("vip_nano", "scenes", "magic", None), "/attribute", "There is no method 'magic'"),
        (("vip_nano", "scenes", "guided_backprop", None), "/attribute", "No ReLU"),
        (("vip_nano", "scenes", "lrp", None), "/score_card", "no rule for"),
        (("vip_nano", "scenes", "nowhere"), "/code_walk", "no part 'nowhere'"),
        (("vip_nano", "scenes", "saliency", 99), "/attribute", "there is no class 99"),
        (("vip_nano", "scenes", "stem.output", -1), "/channel", "The channel is a whole number from 0 up"),
        (("vip_nano", "scenes", "stem.output", 2, 0), "/places_alike", "shares of the picture"),
        (("vip_nano", "scenes", "stem.output", 0, 0), "/attention", "There is no layer of attention"),
        (("vip_nano", "scenes", "nowhere"), "/maps", "no feature map 'nowhere'"),
        (("vip_nano", "scenes", "nowhere", "closed", None), "/gate_what_if", "There is no gate 'nowhere'"),
        (("vip_nano", "scenes", "all", "ajar", None), "/gate_what_if", "flattened, opened, closed"),
        (("vip_nano", "scenes", "all", "opened", 1), "/gate_what_if", "A channel alone can be closed"),
        (("vip_nano", "scenes", [], None), "/side_by_side", "one to 6 methods"),
        (("vip_nano", "scenes", ["lrp"], None), "/side_by_side", "no rule for"),
        (("vip_nano", "scenes", [1], None), "/side_by_side", "a list of names"),
    ],
)
def test_a_mistake_gets_its_sentence(client, picture, asked, endpoint, message):
    with pytest.raises(AppError, match=message) as refused:
        client.predict(picture, *asked, api_name=endpoint)
    assert "Traceback" not in str(refused.value)


def test_no_picture_and_no_real_picture_get_theirs(client, tmp_path):
    with pytest.raises(AppError, match="Choose one of the examples"):
        client.predict(None, "vip_nano", "scenes", api_name="/predict")
    (tmp_path / "text.png").write_text("this is no picture")
    with pytest.raises(AppError, match="not a picture that can be read"):
        client.predict(handle_file(str(tmp_path / "text.png")), "vip_nano", "scenes", api_name="/predict")


def test_a_bug_shows_a_reference_and_no_secret():
    from explorer.ui.alerts import shown

    @shown
    def broken():
        raise RuntimeError("the secret path /root")

    with pytest.raises(Exception, match=r"not your fault \(reference [0-9a-f]{6}\)") as refused:
        broken()
    assert "secret" not in str(refused.value)
