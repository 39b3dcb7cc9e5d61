"""The block of MobileViT as it circulates alone, in two forms.

`MobileViTAttention` follows https://github.com/xmu-xiaoma666/External-Attention-pytorch,
model/attention/MobileViTAttention.py. It differs from the block of the paper in `models.mobilevit`: its
convolutions have biases and neither norms nor activations, its heads are wider than the tokens, and the
input is joined to what was made at the end.

`NormedMobileViTAttention` is `MobileViT_Attention` of a later article, which has norms and activations around
its convolutions and 16 heads. As printed it cannot run, and where it could it would not do what its text
says; what is corrected stands in its docstring, everything else is as printed.
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
        self,
        dim: int = 3,
        transformer_dim: int = 512,
        patch: int = 7,
        kernel: int = 3,
        depth: int = 3,
        *,
        num_heads: int = 8,
        head_dim: int = 64,
        mlp_dim: int = 1024,
    ) -> None:
        super().__init__()
        only_odd(kernel)
        self.patch = patch
        self.conv1 = nn.Conv2d(dim, dim, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv2d(dim, transformer_dim, kernel_size=1)
        self.local = image_map()
        self.transformer = nn.Sequential(
            *(
                TransformerBlock(
                    transformer_dim, Attention(transformer_dim, num_heads, head_dim, bias=False), mlp_dim
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
        sizes = patch_sizes(local, self.patch)
        tokens = rearrange(local, "b c (nh ph) (nw pw) -> (b ph pw) (nh nw) c", **sizes)
        folded = rearrange(self.transformer(tokens), "(b ph pw) (nh nw) c -> b c (nh ph) (nw pw)", **sizes)
        joined = rearrange([x, self.conv3(self.mixed(folded))], "two b c h w -> b (two c) h w")
        return self.output(self.conv4(joined))


class NormedMobileViTAttention(nn.Module):
    """`MobileViT_Attention` as its article means it: convolution, batch norm and ReLU at both ends.

    Corrected: patches are unfolded into tokens `[b * ph * pw, nh * nw, c]` as the listing's own comment says,
    where it stacks them to four axes; attention runs among the patches of one picture, not among pictures;
    the embedding takes the width of the map to that of the tokens, and one layer more takes it back, so that
    the local and the global map can be joined. Its layers are attention alone, as printed: not normalised,
    not added back, followed by no MLP.
    """

    def __init__(
        self,
        dim: int = 3,
        transformer_dim: int = 144,
        patch: int = 2,
        kernel: int = 3,
        depth: int = 4,
        num_heads: int = 16,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        only_odd(kernel)
        if transformer_dim % num_heads:
            raise ValueError(f"transformer dim {transformer_dim} cannot be shared by {num_heads} heads")
        self.patch = patch
        self.local_conv = conv_norm_relu(dim, dim, kernel)
        self.local = image_map()
        self.embedding = nn.Linear(dim, transformer_dim)
        self.layers = nn.Sequential(
            *(nn.Sequential(Attention(transformer_dim, num_heads), nn.Dropout(dropout)) for _ in range(depth))
        )
        self.unembedding = nn.Linear(transformer_dim, dim)
        self.mixed = image_map(role=Role.MIXED)
        self.fusion_conv = conv_norm_relu(2 * dim, dim, kernel)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        local = self.local(self.local_conv(x))
        sizes = patch_sizes(local, self.patch)
        tokens = rearrange(local, "b c (nh ph) (nw pw) -> (b ph pw) (nh nw) c", **sizes)
        tokens = self.unembedding(self.layers(self.embedding(tokens)))
        folded = rearrange(tokens, "(b ph pw) (nh nw) c -> b c (nh ph) (nw pw)", **sizes)
        joined = rearrange([local, self.mixed(folded)], "two b c h w -> b (two c) h w")
        return self.output(self.fusion_conv(joined))


def only_odd(kernel: int) -> None:
    if kernel % 2 == 0:
        raise ValueError(f"a kernel of {kernel} has no middle and would change the size of the map")


def conv_norm_relu(dim: int, out_dim: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv2d(dim, out_dim, kernel, padding=kernel // 2)
    return nn.Sequential(conv, nn.BatchNorm2d(out_dim), nn.ReLU())


def patch_sizes(x: Float[Tensor, "b c h w"], patch: int) -> dict[str, int]:
    """Patches along the height of a map and along its width, and places along those of a patch."""
    height, width = x.shape[-2:]
    if height % patch or width % patch:
        raise ValueError(f"patches of {patch} x {patch} do not divide a map of {height} x {width}")
    return {"nh": height // patch, "nw": width // patch, "ph": patch, "pw": patch}
