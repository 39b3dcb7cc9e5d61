"""MobileViTAttention: the block of MobileViT as it circulates alone.

Code it follows: https://github.com/xmu-xiaoma666/External-Attention-pytorch,
model/attention/MobileViTAttention.py

It differs from the block of the paper in `models.mobilevit`: its convolutions have biases and neither norms
nor activations, its heads are wider than the tokens, and the input is joined to what was made at the end.
"""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import image_map
from models.mobilevit import Attention, TransformerBlock
from models.probe import Role


class MobileViTAttention(nn.Module):
    """Plain convolutions, a transformer among patches that must divide the map, and no norm at its end."""

    def __init__(
        self, dim: int = 3, transformer_dim: int = 512, patch: int = 7, kernel: int = 3, depth: int = 3
    ) -> None:
        super().__init__()
        self.patch = patch
        self.conv1 = nn.Conv2d(dim, dim, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv2d(dim, transformer_dim, kernel_size=1)
        self.local = image_map()
        self.transformer = nn.Sequential(
            *(
                TransformerBlock(
                    transformer_dim, Attention(transformer_dim, num_heads=8, head_dim=64, bias=False), 1024
                )
                for _ in range(depth)
            )
        )
        self.mixed = image_map(role=Role.MIXED)
        self.conv3 = nn.Conv2d(transformer_dim, dim, kernel_size=1)
        self.conv4 = nn.Conv2d(2 * dim, dim, kernel, padding=kernel // 2)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        local = self.local(self.conv2(self.conv1(x)))
        height, width = local.shape[-2:]
        if height % self.patch or width % self.patch:
            raise ValueError(
                f"patches of {self.patch} x {self.patch} do not divide a map of {height} x {width}"
            )
        sizes = {"nh": height // self.patch, "ph": self.patch, "pw": self.patch}
        tokens = rearrange(local, "b c (nh ph) (nw pw) -> (b ph pw) (nh nw) c", ph=self.patch, pw=self.patch)
        folded = rearrange(self.transformer(tokens), "(b ph pw) (nh nw) c -> b c (nh ph) (nw pw)", **sizes)
        joined = rearrange([x, self.conv3(self.mixed(folded))], "two b c h w -> b (two c) h w")
        return self.output(self.conv4(joined))
