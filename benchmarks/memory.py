"""What the running app holds: after its start, and after few and many questions of all kinds, each new."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image

from benchmarks.load import ASKED, CATALOGUE, MODELS, OF_WEIGHTS, WITH_WEIGHTS
from benchmarks.page import app, megabytes
from benchmarks.timing import Row
from models.scenes import draw

FEW, MANY = 50, 500


def memory() -> Iterator[Row]:
    with app() as (url, _, process), tempfile.TemporaryDirectory() as folder:
        client = Client(url, verbose=False)
        yield Row("memory after the start", f"{megabytes(process):.0f} MB", "at most 600 MB")
        held = []
        for number in range(MANY):
            ask(client, Path(folder), number)
            if number + 1 in (FEW, MANY):
                held.append(megabytes(process))
    yield Row(
        f"memory after {MANY} questions / after {FEW}",
        f"{held[1] / held[0]:.2f} ({held[0]:.0f} MB)",
        "at most 1.10",
    )


def ask(client: Client, folder: Path, number: int) -> None:
    """One question; kinds and models take turns."""
    names = list(ASKED)
    endpoint, turn = names[number % len(names)], number // len(names)
    model = MODELS[turn % len(MODELS)]
    if endpoint in OF_WEIGHTS and model not in WITH_WEIGHTS:
        model = WITH_WEIGHTS[0]
    path = folder / f"{number}.png"
    Image.fromarray(draw(number, 96).picture).save(path)
    asked = (handle_file(str(path)), model, "scenes", *ASKED[endpoint](model, turn))
    client.predict(*(() if endpoint == CATALOGUE else asked), api_name=f"/{endpoint}")
    path.unlink()
