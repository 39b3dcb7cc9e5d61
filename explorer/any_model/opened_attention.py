"""What PyTorch computes in one call, in separate steps, so that gates inside it can be met and changed.

`nn.MultiheadAttention` and `nn.TransformerEncoderLayer` have a path on which not even that call is made;
it is switched off while somebody looks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import linear, pad

from explorer.reading import Reading
from models.probe import Later

Change = Callable[[Tensor], Tensor | None]  # a tensor in its own axes -> what takes its place, or None


def unfused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    change: Change,
) -> Tensor:
    """`scaled_dot_product_attention`, as PyTorch documents it."""
    if enable_gqa:
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    return changed(shares_of(query, key, attn_mask, is_causal, scale), change) @ value


def shares_of(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """What that function multiplies the values by; several queries may share a key."""
    if key.ndim > 2 and key.shape[-3] != query.shape[-3]:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = (query * (query.shape[-1] ** -0.5 if scale is None else scale)) @ key.transpose(-2, -1)
    if is_causal:
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~allowed, -torch.inf)
    if attn_mask is not None:
        hidden = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -torch.inf) if hidden else scores + attn_mask
    return scores.softmax(dim=-1)


def read_later(
    reading: Reading,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> None:
    """Keep what the weights are computed from; nothing is computed before they are read."""
    parts = [query, key] if attn_mask is None else [query, key, attn_mask]
    size = query.numel() // max(1, query.shape[-1]) * key.shape[-2] * query.element_size()

    def made(held: list[Tensor]) -> Tensor:
        return shares_of(held[0], held[1], held[2] if len(held) > 2 else None, is_causal, scale)

    reading.later(Later(parts, made, size))


def changed(gate: Tensor, change: Change) -> Tensor:
    """A gate, or what takes its place."""
    given = change(gate)
    return gate if given is None else given


def unglued(input: Tensor, dim: int = -1, *, change: Change) -> Tensor:  # named as in PyTorch
    """`glu`: half of an axis times the sigmoid of the other half."""
    value, gate = input.chunk(2, dim)
    return value * changed(gate.sigmoid(), change)


def multihead(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    *,
    change: Change,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    **_unused,
) -> tuple[Tensor, Tensor | None]:
    """`multi_head_attention_forward` in eval mode; query, key and value are `[length, pictures, width]`."""
    maps: Any = q_proj_weight, k_proj_weight, v_proj_weight
    if not use_separate_proj_weight and in_proj_weight is not None:
        maps = in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (linear(one, w, b) for one, w, b in zip((query, key, value), maps, biases, strict=True))
    if bias_k is not None and bias_v is not None:
        k, v = (torch.cat([one, more.expand(1, *one.shape[1:])]) for one, more in ((k, bias_k), (v, bias_v)))
    if add_zero_attn:
        k, v = (pad(one, (0, 0, 0, 0, 0, 1)) for one in (k, v))
    q, k, v = (rearrange(one, "n b (h d) -> b h n d", h=num_heads) for one in (q, k, v))
    scores = q @ rearrange(k, "b h n d -> b h d n") * q.shape[-1] ** -0.5
    if is_causal and key_padding_mask is None and not need_weights:  # then the mask itself is not looked at
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    if attn_mask is not None:
        by_head = attn_mask.ndim == 3
        mask = rearrange(attn_mask, "(b h) q k -> b h q k", h=num_heads) if by_head else attn_mask
        scores = scores + added(mask, scores)
    if key_padding_mask is not None:
        scores = scores + added(rearrange(key_padding_mask, "b k -> b 1 1 k"), scores)
    weights = changed(scores.softmax(dim=-1), change)
    made = linear(rearrange(weights @ v, "b h n d -> n b (h d)"), out_proj_weight, out_proj_bias)
    if not need_weights:
        return made, None
    return made, weights.mean(dim=1) if average_attn_weights else weights


def added(mask: Tensor, scores: Tensor) -> Tensor:
    """What a mask adds to the scores; what is beyond the mask, such as a bias among the keys, is free."""
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=scores.dtype).masked_fill(mask, -torch.inf)
    return pad(mask, (0, scores.shape[-1] - mask.shape[-1]))


class FastPath:
    """The switch of PyTorch, which is one for the whole process: off while anybody needs it off."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.before = True

    @contextmanager
    def off(self) -> Iterator[None]:
        """For the length of a `with` block; as it was before once the last has left, also after an error."""
        with self.lock:
            if self.users == 0:
                self.before = torch.backends.mha.get_fastpath_enabled()
                torch.backends.mha.set_fastpath_enabled(False)
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    torch.backends.mha.set_fastpath_enabled(self.before)


FAST_PATH = FastPath()
