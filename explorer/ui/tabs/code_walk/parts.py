"""What is followed through the lines: a channel, or all of them as colour, and a place of the picture."""

from dataclasses import dataclass

MILLE = 1000  # places are told in thousandths of the picture's height and width


@dataclass(frozen=True)
class Follow:
    channel: int  # -1 for all
    y: int  # thousandths of the height, from the top
    x: int  # thousandths of the width, from the left

    def cell(self, rows: int, columns: int) -> tuple[int, int]:
        """The cell of a map of this size the place lies in."""
        return min(self.y * rows // MILLE, rows - 1), min(self.x * columns // MILLE, columns - 1)


def middle(cell: int, cells: int) -> int:
    """The middle of a cell, in thousandths."""
    return (2 * cell + 1) * MILLE // (2 * cells)
