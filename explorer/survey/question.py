"""What a survey is asked, and whether what lies in its folder was asked the same."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError, ExplorerError
from explorer.report.recipe import digest_of
from explorer.survey.parts import folder_of
from models.whole_files import written_whole

FORMAT = 1
FILE = "question.json"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is gone over, with what, and how it is gone about."""

    source: str
    model: str
    weights: str
    methods: tuple[str, ...] = ()  # of attribution, scored beside their controls
    batch: int = 64  # pictures that are decoded or being decoded, at most; changes no number
    # Threads that read and decode, 1 unless told, 0 for none beside the model's; on Ray processes with a
    # model each, as many as there are processors unless told. Changes no number.
    workers: int | None = None
    ray: str | None = None  # "local", or the address of a cluster; None for this process alone

    @property
    def decoders(self) -> int:
        return 1 if self.workers is None else self.workers


def question_of(question: Question, loaded: Loaded) -> dict[str, Any]:
    """What decides the numbers, as it stands beside them."""
    return {
        "format": FORMAT,
        "source": question.source,
        "model": question.model,
        "weights": question.weights,
        "weights_sha256": digest_of(loaded.model),
        "methods": list(question.methods),
    }


def agreed(out: Path, asked: dict[str, Any], *, resume: bool) -> None:
    """Make the folder, or see that what is in it is this very survey."""
    place = out / FILE
    try:
        folder_of(out).mkdir(parents=True, exist_ok=True)
        if place.is_file():
            if not resume:
                raise ChoiceError(
                    f"{out} holds a survey already: go on with --resume, or choose another folder."
                )
            if json.loads(place.read_text("utf-8")) != asked:
                raise ChoiceError(f"{out} holds a survey of something else: choose another folder.")
        with written_whole(place) as partly:
            partly.write_text(json.dumps(asked, indent=1) + "\n", "utf-8")
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ExplorerError(f"Nothing can be written to {out}: {error}.") from error
