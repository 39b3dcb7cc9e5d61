"""Draw the example pictures again: `python -m assets.examples.make`. Their causes go to `causes/`."""

from pathlib import Path

from PIL import Image

from models.scenes import CLASSES, draw

HERE = Path(__file__).parent
SIZE = 256  # pixels
SEEDS = {  # of held-out scenes nothing is trained on
    "vertical stripes": 11,
    "star": 27,
    "disk": 34,
    "spiral": 48,
    "checkerboard": 52,
    "ring": 61,
    "triangle": 75,
    "dots": 83,
}


def main() -> None:
    (HERE / "causes").mkdir(exist_ok=True)
    for number, (name, seed) in enumerate(SEEDS.items(), 1):
        scene = draw(seed, SIZE, CLASSES.index(name))
        file = f"{number}-{name.replace(' ', '-')}.png"
        Image.fromarray(scene.picture).save(HERE / file, optimize=True)
        Image.fromarray(scene.mask).save(HERE / "causes" / file, optimize=True)


if __name__ == "__main__":
    main()
