"""Which places of a map are alike, and what is strong at one of them."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import ChoiceError, NoMapError
from explorer.features.feature_maps import FeatureMap


@dataclass(frozen=True)
class SimilarPlaces:
    """The cosine of the angle between the vector at one place and that at every place."""

    layer: str
    place: tuple[int, int]  # row, column
    values: np.ndarray  # [h, w], in [-1, 1]; not a number where the vector is zero
    vector: np.ndarray  # [c], at the place, in the model's own units

    def nearest(self, most: int) -> list[tuple[int, int]]:
        """The other places most alike, as (row, column), the most alike first."""
        columns = self.values.shape[1]
        order = np.argsort(-np.nan_to_num(self.values, nan=-2.0).ravel(), kind="stable")
        places = [divmod(int(index), columns) for index in order]
        return [one for one in places if one != self.place and np.isfinite(self.values[one])][:most]

    def strongest(self, most: int) -> list[int]:
        """The channels with the largest values at the place, whatever their sign."""
        return np.argsort(-np.abs(self.vector), kind="stable")[:most].tolist()


def similar_places(features: FeatureMap, row: int, column: int) -> SimilarPlaces:
    """How alike every place is to one of them; rows and columns count from zero."""
    rows, columns, _ = features.values.shape
    if not features.has_places:
        raise NoMapError("Attention has no vector at a place: its rows and columns are both places.")
    if not (0 <= row < rows and 0 <= column < columns):
        raise ChoiceError(f"{features.layer} has {rows} × {columns} places; ({row}, {column}) is none.")
    values = features.values.astype(np.float64)
    lengths = np.linalg.norm(values, axis=-1)
    if lengths[row, column] == 0:
        raise NoMapError(f"Every channel is zero at row {row}, column {column}: it has no direction.")
    products = values @ values[row, column] / lengths[row, column]
    cosines = np.divide(products, lengths, out=np.full_like(products, np.nan), where=lengths > 0)
    return SimilarPlaces(features.layer, (row, column), np.clip(cosines, -1, 1), features.values[row, column])
