"""Units of a survey done on Ray: one task reads their names, a pool of actors with a model each does them.

A unit that was lost with its actor is done again by another. Ray is an optional requirement.
"""

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import torch

from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.report.recipe import digest_of
from explorer.survey.passes import of_unit
from explorer.survey.question import Question
from explorer.survey.units import Unit

MISSING = "A survey goes over Ray with ray, which is not installed: pip install -r requirements-ray.txt."
LOCAL = "local"
TRIES = 3  # after which a unit that its actor does not survive ends the survey
Batch = Mapping[str, Sequence[Any] | np.ndarray]  # a row, as Ray hands it on
Units = Callable[[int], Iterator[Unit]]  # how many actors there are -> what is to be done


@dataclass(frozen=True)
class Done:
    """A unit that is done."""

    start: int  # place of its first picture in the source
    count: int  # pictures
    part: bytes  # the file of a part


class Surveyor:
    """An actor: a model of its own, which does units with one thread, on a GPU where it was given one."""

    def __init__(self, question: Question, weights_sha256: str) -> None:
        self.refusal = ""
        try:
            self.question, self.explorer = question, Explorer("auto")
            torch.set_num_threads(1)
            self.loaded = self.explorer.load(question.model, question.weights).apart
            if digest_of(self.loaded.model) != weights_sha256:
                self.refusal = f"A machine of the cluster has other weights called {question.weights}."
        except ExplorerError as error:
            self.refusal = str(error)

    def done(self, unit: Unit) -> bytes:
        return of_unit(self.explorer, self.question, self.loaded, unit)

    def __call__(self, batch: Batch) -> Batch:
        """Of one unit, its part; what a person can do wrong is handed on as a sentence."""
        (packed,) = batch["unit"]
        unit = pickle.loads(packed)
        refusal = unit if isinstance(unit, str) else self.refusal
        if refusal:
            return {"refusal": [refusal], "start": [0], "count": [0], "part": [b""]}
        try:
            part = self.done(unit)
        except ExplorerError as error:
            return {"refusal": [str(error)], "start": [0], "count": [0], "part": [b""]}
        return {"refusal": [""], "start": [unit.start], "count": [len(unit.items)], "part": [part]}


def done_on_ray(question: Question, found: Units, actor: type[Surveyor], given: tuple) -> Iterator[Done]:
    """Every unit, in the order in which they are done. Raises ExplorerError, also where Ray cannot go on.

    actor: is made of `given` in each of the processes.
    """
    with running(question.ray or LOCAL, question.workers) as ray:
        actors = question.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        share = min(1.0, ray.cluster_resources().get("GPU", 0) / actors)
        with one_row_a_block(ray.data.DataContext):
            done = ray.data.read_datasource(
                source_of(partial(found, actors)), override_num_blocks=1, ray_remote_args={"num_cpus": 0}
            ).map_batches(
                actor,
                batch_size=1,
                fn_constructor_args=given,
                compute=ray.data.ActorPoolStrategy(size=actors),
                num_cpus=1,
                num_gpus=share or None,
                max_task_retries=TRIES,
            )
            try:
                for row in done.iter_rows():
                    if row["refusal"]:
                        raise ExplorerError(row["refusal"])
                    yield Done(row["start"], row["count"], row["part"])
            except ray.exceptions.RayError as error:
                told = str(error).strip().splitlines()[-1]
                raise ExplorerError(f"Ray could not go on; --resume begins there. {told}") from error


@contextmanager
def running(address: str, workers: int | None) -> Iterator[Any]:
    """Ray, joined for the length of a `with` block unless it was before. Nothing is reported to anybody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import_module("ray.data")
        ray = import_module("ray")
    except ImportError:
        raise ExplorerError(MISSING) from None
    if ray.is_initialized():
        yield ray
        return
    here = {"num_cpus": workers, "include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="error", **here)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ExplorerError(f"There is no Ray at {address}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def one_row_a_block(settings: Any) -> Iterator[None]:
    """Without bars, and with a task for every unit: rows smaller than a block would be one task together."""
    quiet = settings.get_current().copy()
    quiet.target_max_block_size = quiet.target_min_block_size = 1
    quiet.enable_progress_bars = False
    with settings.current(quiet):
        yield


def source_of(found: Callable[[], Iterator[Unit]]) -> Any:
    """What Ray reads units from: one task, which goes on as they are done."""
    kinds: Any = import_module("ray.data.datasource")
    blocks: Any = import_module("ray.data.block")
    table = import_module("pyarrow").table

    def rows() -> Iterator[Any]:
        try:
            for unit in found():
                yield table({"unit": [pickle.dumps(unit)]})
        except ExplorerError as error:
            yield table({"unit": [pickle.dumps(str(error))]})

    class Pictures(kinds.Datasource):
        def estimate_inmemory_data_size(self) -> None:
            return None

        def get_read_tasks(self, *_args: Any, **_named: Any) -> list[Any]:
            nothing = blocks.BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [kinds.ReadTask(rows, nothing)]

    return Pictures()
