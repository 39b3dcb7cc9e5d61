"""The HTTP contract, through a running server and its own client."""

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from explorer.reweighting import branch_weights
from models import list_models


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
    assert nano["weights"] == ["scenes", "random"]
    assert nano["parameters"] == 856_684
    assert set(nano) == {"name", "family", "parameters", "image_size", "weights", "paper"}


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
        (("vip_nano", "scenes", "magic", None), "/attribute", "There is no method 'magic'"),
        (("vip_nano", "scenes", "saliency", 99), "/attribute", "there is no class 99"),
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
    from explorer.ui.shown import shown

    @shown
    def broken():
        raise RuntimeError("the secret path /root")

    with pytest.raises(Exception, match=r"not your fault \(reference [0-9a-f]{6}\)") as refused:
        broken()
    assert "secret" not in str(refused.value)
