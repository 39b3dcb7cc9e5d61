"""Long work leaves room for what is short: a lock that takes turns, and modules of its own for each model."""

import threading

import pytest
import torch

from explorer.attribution.options import Options
from explorer.capture import probes, run
from explorer.engine.turns import Turns
from explorer.explorer import Explorer
from models.probe import Kind
from tests.forgetful import Forgetful

LIGHT = Options(steps=6, samples=4, segments=9, draws=24, channels=8)


def until(true) -> None:
    """Wait until something holds; not for ever."""
    waited = threading.Event()
    for _ in range(6_000):
        if true():
            return
        waited.wait(0.01)
    raise AssertionError("it never came")


def test_a_lock_goes_to_whoever_has_waited_longest():
    turns, order, threads = Turns(), [], []

    def wait(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        for number in range(5):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            until(lambda count=number + 1: len(turns._waiting) == count)
        assert turns.locked()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert not turns.locked()


def test_work_in_many_parts_lets_another_in_after_one_of_them():
    turns, parts, seen = Turns(), [], []

    def look() -> None:
        with turns:
            seen.append(len(parts))

    other = threading.Thread(target=look)
    for number in range(5):
        with turns:
            parts.append(number)
            if number == 1:
                other.start()
                until(lambda: turns._waiting)
    other.join()
    assert seen == [2]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_lock_is_given_back_by_whoever_fails(failure):
    turns = Turns()
    with pytest.raises(failure), turns:
        raise failure
    assert not turns.locked()


def test_long_work_has_modules_of_its_own_and_the_same_weights(explorer, star):
    loaded = explorer.load("vip_nano", "scenes")
    apart = loaded.apart
    assert not {id(one) for one in loaded.model.modules()} & {id(one) for one in apart.model.modules()}
    for (name, mine), (other, theirs) in zip(
        loaded.model.state_dict(keep_vars=True).items(),
        apart.model.state_dict(keep_vars=True).items(),
        strict=True,
    ):
        assert (name, id(mine)) == (other, id(theirs))
    image, _ = explorer.image("vip_nano", star, "scenes")
    assert torch.equal(run(loaded.model, image).logits, run(apart.model, image).logits)
    assert apart.apart.model is apart.model


def everything(explorer: Explorer, picture) -> dict:
    """Every kind of long work, by name, as what does one part of it."""
    about = "vip_nano", picture, "scenes"
    layer = next(iter(probes(explorer.load("vip_nano", "scenes").model, Kind.FEATURE_MAP)))
    started = {
        "attribution": explorer.attribute(*about, method="integrated_gradients", options=LIGHT),
        "score card": explorer.score_card(*about, method="saliency", options=LIGHT),
        "knock-out": explorer.knock_out(*about),
        "costs": explorer.costs("vip_nano", "scenes"),
    }
    return {
        **{name: lambda parts=parts: next(parts) for name, parts in started.items()},
        "effective field": lambda: explorer.effective_field(*about, layer=layer, place=(1, 1)),
        "theoretical field": lambda: explorer.theoretical_field(
            "vip_nano", "scenes", layer=layer, place=(1, 1)
        ),
        "sensitivity map": lambda: explorer.sensitivity_map(*about, layer=layer, square=(1, 1)),
        "relevance": lambda: explorer.relevance(*about),
        "verdict": lambda: explorer.preflight("vip_nano", "scenes", "saliency"),
    }


KINDS = (
    *("attribution", "score card", "knock-out", "costs", "effective field", "theoretical field"),
    *("sensitivity map", "relevance", "verdict"),
)


@pytest.fixture(scope="module")
def forgetful():
    return Explorer("cpu", cache=Forgetful())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_short_is_answered_while_long_work_holds_its_lock(kind, forgetful, star):
    """Long work waits for its turn here; a quick question about the same model does not."""
    loaded = forgetful.load("vip_nano", "scenes")
    done = threading.Event()
    work = everything(forgetful, star)[kind]
    thread = threading.Thread(target=lambda: (work(), done.set()))
    with loaded.long:
        thread.start()
        until(lambda: loaded.long._waiting)
        assert len(forgetful.predict("vip_nano", star, "scenes")) == 5
        assert not done.is_set()
    thread.join(60)
    assert done.is_set()
