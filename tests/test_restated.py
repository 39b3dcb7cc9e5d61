"""The networks that benchmarks compare ours with, written out plainly, are the same networks."""

import pytest
import torch

from benchmarks.forward import PAIRS
from models import card, create


@pytest.mark.parametrize("name", [name for name in PAIRS if name.endswith("_nano")])
def test_a_network_restated_plainly_gives_the_same_logits(name):
    model = create(name, "scenes").double()
    dice = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *card(name).preprocess.shape, generator=dice, dtype=torch.float64)
    with torch.no_grad():
        expected = model(image)
        torch.testing.assert_close(PAIRS[name](model, image), expected)
    assert float(expected.std()) > 0.1
