"""Published weights arrive whole and checked, or not at all; tried on a server of this machine."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from models import card, create, list_models, registry
from models.counted import megabytes
from models.registry import Weights
from models.sources import FirstOf, Hub, Link
from models.weights import WeightsError
from tests.loopback import serving


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and the way to this machine's own server open."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)  # small files have parts, too
    return tmp_path


@pytest.fixture
def shop(cache):
    with serving() as (address, shelf):
        yield address, shelf


@pytest.fixture(scope="module")
def trained():
    return create("fasternet_nano", seed=5)


def as_safetensors(model) -> bytes:
    return save(model.state_dict())


def as_pth(model) -> bytes:
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    return file.getvalue()


def hub(address: str, cache: Path) -> Hub:
    return Hub("someone/model", endpoint=address, cache=str(cache))


def on_the_hub(shelf, content: bytes) -> str:
    path = "/someone/model/resolve/main/model.safetensors"
    shelf.files[path] = content
    return path


def link(address: str, content: bytes, checksum: str = "") -> Link:
    return Link(
        f"{address}/releases/model.pth", "model.pth", checksum or hashlib.sha256(content).hexdigest()[:8]
    )


def half_written(folder: Path) -> list[Path]:
    """Files that somebody could take for whole ones."""
    return [path for path in folder.rglob("*") if path.suffix in {".pth", ".safetensors"}]


@pytest.fixture(params=["hub", "release"])
def shop_window(request, shop, cache, trained):
    """A source and the content behind it, of each kind."""
    address, shelf = shop
    if request.param == "hub":
        content = as_safetensors(trained)
        path = on_the_hub(shelf, content)
        return hub(address, cache), content, path, shelf
    content = as_pth(trained)
    shelf.files["/releases/model.pth"] = content
    return link(address, content), content, "/releases/model.pth", shelf


def test_a_file_arrives_whole_with_its_progress(shop_window):
    source, content, _, shelf = shop_window
    assert source.here() is None
    told = []
    path = source.fetch(lambda here, total: told.append((here, total)))
    assert path.read_bytes() == content
    assert told[-1] == (len(content), len(content))
    assert told == sorted(told)
    gets = shelf.gets
    assert source.here() == source.fetch() == path
    assert shelf.gets == gets, "what is here is not fetched again"


def test_a_cut_connection_is_resumed(shop_window):
    source, content, _, shelf = shop_window
    shelf.cut_after = len(content) // 2
    assert source.fetch().read_bytes() == content
    assert shelf.ranges, "what had arrived was not asked for again"


def test_a_stopped_download_leaves_nothing_that_looks_whole_and_is_resumed(shop_window, cache):
    source, content, _, _ = shop_window

    class StopError(Exception):
        pass

    def stop(here: int, _total: int) -> None:
        if here:
            raise StopError

    with pytest.raises(StopError):
        source.fetch(stop)
    assert source.here() is None
    assert half_written(cache) == []
    assert source.fetch().read_bytes() == content


def test_a_wrong_checksum_is_refused_and_deleted(shop_window, cache):
    source, content, path, shelf = shop_window
    if isinstance(source, Hub):
        shelf.claimed[path] = "0" * 64
    else:
        source = replace(source, sha256="00000000")
    with pytest.raises(WeightsError, match="checksum differs"):
        source.fetch()
    assert source.here() is None
    assert half_written(cache) == []
    kept = [file for file in cache.rglob("*") if file.is_file() and file.stat().st_size == len(content)]
    assert kept == []


def test_a_wrong_address_gets_one_sentence(shop_window, cache):
    source, _, _, shelf = shop_window
    shelf.files.clear()
    with pytest.raises(WeightsError, match="could not be fetched") as refused:
        source.fetch()
    assert "404" in str(refused.value)
    assert half_written(cache) == []


def test_a_server_that_is_not_there_gets_one_sentence(cache):
    for source in (hub("http://127.0.0.1:9", cache), link("http://127.0.0.1:9", b"")):
        with pytest.raises(WeightsError, match="is this computer online"):
            source.fetch()
        assert half_written(cache) == []


def test_offline_gets_one_sentence(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for source in (Hub("someone/model"), link("http://127.0.0.1:9", b"")):
        with pytest.raises(WeightsError, match="is this computer online"):
            source.fetch()


def test_the_second_place_is_asked_when_the_first_does_not_answer(shop, cache, trained):
    address, shelf = shop
    content = as_pth(trained)
    shelf.files["/releases/model.pth"] = content
    source = FirstOf((hub(address, cache), link(address, content)))
    assert source.fetch().read_bytes() == content


@pytest.fixture
def offered(shop, cache, trained, monkeypatch):
    """fasternet_nano as if somebody had published ImageNet weights of it."""
    address, shelf = shop
    on_the_hub(shelf, as_safetensors(trained))
    found = card("fasternet_nano")
    listed = Weights(source=hub(address, cache), labels="scenes", preprocess=found.preprocess)
    published = replace(found, weights=MappingProxyType({**found.weights, "imagenet": listed}))
    monkeypatch.setitem(registry._CARDS, "fasternet_nano", published)
    return shelf


@pytest.mark.parametrize(
    "name", ["fasternet_t0", "mobilevit_xxs", "efficientnet_lite1", "vip_s7", "mixer_b16"]
)
def test_a_whole_download_of_each_family_ends_in_its_prediction(name, shop, cache, monkeypatch, star):
    """A file of the real size, random, from where that family keeps it: the Hub, or a link to a pickle."""
    address, shelf = shop
    found = card(name)
    made = create(name, seed=3)
    listed = found.weights["imagenet"]
    if isinstance(listed.source, Link):
        content = as_pth(made)
        shelf.files["/releases/model.pth"] = content
        source: Hub | Link = link(address, content)
    else:
        content = as_safetensors(made)
        on_the_hub(shelf, content)
        source = hub(address, cache)
    offered = replace(found, weights=MappingProxyType({"imagenet": replace(listed, source=source)}))
    monkeypatch.setitem(registry._CARDS, name, offered)
    explorer, told = Explorer(device="cpu"), []
    explorer.fetch(name, "imagenet", lambda here, total: told.append((here, total)))
    assert told[-1] == (len(content), len(content))
    assert len(content) == pytest.approx(1e6 * megabytes(name), rel=0.01)
    image, _ = explorer.image(name, star, "imagenet")
    with torch.no_grad():
        expected = made(image).softmax(dim=1)[0]
    top = explorer.predict(name, star, "imagenet")[0]
    assert top.index == int(expected.argmax())
    assert top.probability == pytest.approx(float(expected.max()), rel=1e-4)
    assert len(explorer.labels(name, "imagenet")) == 1_000


def test_where_all_places_fail_all_are_named(cache):
    source = FirstOf((hub("http://127.0.0.1:9", cache), link("http://127.0.0.1:9", b"")))
    with pytest.raises(WeightsError, match=r"huggingface\.co/someone/model or 127\.0\.0\.1.*online"):
        source.fetch()


def test_asked_for_by_name_they_are_loaded(offered, trained, star):
    explorer = Explorer(device="cpu")
    image, _ = explorer.image("fasternet_nano", star, "imagenet")
    with torch.no_grad():
        expected = trained(image)
    torch.testing.assert_close(explorer.inspect("fasternet_nano", star, "imagenet").logits, expected)


def test_after_a_failure_the_explorer_goes_on(offered, star):
    explorer = Explorer(device="cpu")
    offered.files.clear()
    with pytest.raises(ChoiceError, match="could not be fetched"):
        explorer.inspect("fasternet_nano", star, "imagenet")
    assert explorer.predict("fasternet_nano", star, "scenes")[0].label == "star"


def test_what_nobody_published_is_said():
    published = {name for name in list_models() if "imagenet" in card(name).weights}
    assert published == {
        *("vip_s7", "vip_m7", "vip_l7", "mixer_b16", "mixer_l16"),
        *("mobilevit_xxs", "mobilevit_xs", "mobilevit_s"),
        *(f"fasternet_{size}" for size in ("t0", "t1", "t2", "s", "m", "l")),
        *(f"efficientnet_lite{number}" for number in range(5)),
    }
    for name, words in {
        "s2mlp_wide": "published",
        "s2mlpv2_small": "published",
        "as_mlp_t": "https://github.com/svip-lab/AS-MLP",
        "mixer_s16": "published",
        "vip_s14": "published",
    }.items():
        with pytest.raises(WeightsError, match=words):
            create(name, "imagenet")


def test_preprocessing_belongs_to_the_weights(tmp_path):
    from models.registry import preprocess_of

    found = card("mobilevit_xxs")
    torch.save({"layer_1.0.block.exp_1x1.block.conv.weight": torch.zeros(1)}, tmp_path / "cvnets.pt")
    torch.save({"stem.conv.weight": torch.zeros(1)}, tmp_path / "timm.pt")
    theirs = preprocess_of(found, str(tmp_path / "cvnets.pt"))
    assert (theirs.channels, theirs.interpolation, theirs.crop) == ("bgr", "bilinear", 256 / 288)
    assert preprocess_of(found, str(tmp_path / "timm.pt")) == preprocess_of(found, "imagenet")
    assert preprocess_of(found, "imagenet").channels == "rgb"
