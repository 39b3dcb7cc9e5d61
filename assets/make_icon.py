"""Draw the icon, a map of tokens whose row, column and place are blended: `python assets/make_icon.py`."""

from pathlib import Path

from PIL import Image, ImageDraw

SIDE, CELLS, GAP = 512, 5, 12  # pixels, cells a side, pixels between them
GROUND, CELL = "#312e81", "#4f46e5"
ROW, COLUMN, PLACE = "#f2b134", "#6aa5e0", "#ffffff"
FREE = 84  # pixels around the map: launchers cut icons into circles


def icon() -> Image.Image:
    drawn = Image.new("RGB", (SIDE, SIDE), GROUND)
    pen = ImageDraw.Draw(drawn)
    step = (SIDE - 2 * FREE + GAP) / CELLS
    for row in range(CELLS):
        for column in range(CELLS):
            left, top = FREE + column * step, FREE + row * step
            chosen = PLACE if row == column == 2 else ROW if row == 2 else COLUMN if column == 2 else CELL
            pen.rounded_rectangle((left, top, left + step - GAP, top + step - GAP), 10, chosen)
    return drawn


if __name__ == "__main__":
    icon().save(Path(__file__).with_name("icon.png"), optimize=True)
