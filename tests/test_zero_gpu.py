"""A Space that is lent a GPU for single calls asks for it where that is worth it, and for how long."""

import pickle
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest

from explorer import Explorer, Options
from explorer.attribution import service
from explorer.engine import device, zero_gpu
from explorer.engine.zero_gpu import FASTER, MOST, START, is_lent, lent, seconds_there

QUESTION = {"method": "smooth_grad", "options": Options(samples=2)}


def pickled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.fixture
def asked_for(monkeypatch) -> list[int]:
    """The seconds a stand-in for the package was asked for; as there, all that goes and comes is pickled."""
    seconds = []

    def gpu(work, duration):
        def away(*args):
            seconds.append(duration(*args))
            yield from (pickled(part) for part in work(*pickled(args)))

        return away

    package = ModuleType("spaces")
    package.__spec__, package.GPU = ModuleSpec("spaces", None), gpu
    monkeypatch.setitem(sys.modules, "spaces", package)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(service, "DEVICE", "cpu")
    monkeypatch.setattr(service, "made_there", lent(service.made_there))
    return seconds


def test_elsewhere_nothing_is_lent_and_work_is_done_as_it_is(monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")  # but the package is not there
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert not is_lent()
    assert lent(service.parts) is service.parts
    assert seconds_there(60) is None


def test_a_second_on_the_cpu_stays_there_and_so_does_what_nobody_has_time_for(asked_for):
    assert seconds_there(0.9) is None
    assert seconds_there(60) == START + 60 / FASTER
    assert seconds_there(FASTER * (MOST - START)) == MOST
    assert seconds_there(FASTER * (MOST - START) + 1) is None


def test_what_a_lent_gpu_makes_is_the_same_map_and_is_remembered_here(asked_for, monkeypatch, explorer, star):
    *_, here = explorer.attribute("vip_nano", star, "scenes", **QUESTION)
    another = Explorer("auto")
    assert list(another.attribute("vip_nano", star, "scenes", method="saliency"))
    assert asked_for == []  # as it takes no second
    monkeypatch.setattr(zero_gpu, "WORTH", 0.0)
    *_, there = another.attribute("vip_nano", star, "scenes", **QUESTION)
    assert asked_for == [START + 1]
    np.testing.assert_allclose(there.values, here.values, rtol=1e-4, atol=1e-7)
    assert list(another.attribute("vip_nano", star, "scenes", **QUESTION)) == [there]
    assert asked_for == [START + 1]


def test_models_stay_on_the_cpu_where_a_gpu_is_only_lent(asked_for, monkeypatch):
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: True)
    assert device.choose_device("auto").type == "cpu"
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert device.choose_device("auto").type == "cuda"
