"""A survey somebody sent: opened by another process, see `explorer.survey.opening`; taken as plain arrays."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import ChoiceError
from explorer.survey.found import Rows
from explorer.survey.opening import NO_SURVEY, REFUSED, SECONDS, TOO_LARGE
from explorer.survey.parts import arrow


def opened(place: Path) -> Rows:
    """The rows of a file nobody trusts, 5,000 at most.

    Raises ChoiceError, in one sentence, for what is no survey, and ExplorerError where pyarrow is missing.
    """
    arrow()
    script = Path(__file__).with_name("opening.py")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.npz"
        command = [sys.executable, "-P", str(script), str(place), str(out)]
        limits = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            ended = subprocess.run(
                command, capture_output=True, timeout=2 * SECONDS, env={**os.environ, **limits}, check=False
            )
        except subprocess.TimeoutExpired:
            raise ChoiceError(TOO_LARGE) from None
        if ended.returncode == REFUSED:
            raise ChoiceError(ended.stdout.decode("utf-8", "replace"))
        if ended.returncode:  # it was ended by the system, or fell over
            raise ChoiceError(TOO_LARGE if ended.returncode < 0 else NO_SURVEY)
        with np.load(out, allow_pickle=False) as arrays:
            return read({name: arrays[name] for name in arrays.files})


def read(arrays: dict[str, np.ndarray]) -> Rows:
    """Rows of the arrays the other process wrote."""
    about = json.loads(str(arrays["about"]))
    columns: dict[str, Any] = {}
    about["openness"] = {
        name.partition(":")[2]: values for name, values in arrays.items() if name.startswith("openness:")
    }
    for key, values in arrays.items():
        kind, _, name = key.partition(":")
        if kind == "column":
            columns[name] = values
    columns |= {"name": columns["name"].tolist()}
    columns |= {"label": [label or None for label in columns["label"].tolist()]}
    return Rows(about, columns)
