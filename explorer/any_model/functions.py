"""What torch's functions do, as far as it matters for telling gates: tables of their plain names."""

from functools import lru_cache

FUSED = "scaled_dot_product_attention"
MULTIHEAD = "multi_head_attention_forward"
SHORT = 16  # a softmax over no more than this chooses among branches; over more, among places
GLU = "glu"  # a gate and what it multiplies in one call
HIDDEN = "native_multi_head_attention"  # cannot be opened from outside

SIGMOIDS = {"sigmoid": "sigmoid", "hardsigmoid": "hard_sigmoid", "tanh": "tanh", "softmax": "softmax"}
SIXES = {"relu6", "clamp", "clip", "hardtanh"}  # one sixth of what these cut at 6 is a hard sigmoid

# The same numbers in another order or shape.
MOVES = {
    *("view", "reshape", "permute", "transpose", "t", "flatten", "unflatten", "squeeze", "unsqueeze"),
    *("expand", "expand_as", "contiguous", "clone", "to", "type", "type_as", "float", "half", "bfloat16"),
    *("double", "movedim", "moveaxis", "swapaxes", "swapdims", "view_as", "reshape_as", "ravel", "detach"),
    *("alias", "dropout", "dropout2d", "cpu", "cuda", "requires_grad", "checkpoint", "broadcast_to"),
}
# Some of the numbers, several times, or in another grid.
PICKS = {
    *("chunk", "split", "unbind", "getitem", "select", "narrow", "tensor_split", "split_with_sizes"),
    *("index_select", "roll", "pad", "interpolate", "repeat", "repeat_interleave", "stack", "cat", "flip"),
    *(
        "concat",
        "topk",
        "sort",
        "masked_fill",
        "pixel_shuffle",
        "pixel_unshuffle",
        "upsample",
        "gather",
        "fold",
        "unfold",
    ),
}
LINEAR = {"add", "sub", "rsub", "div", "rdiv", "mul", "neg"}  # with numbers, or one by one
POINTWISE = {
    *("relu", "relu6", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu", "prelu", "hardswish"),
    *("softplus", "exp", "log", "sqrt", "rsqrt", "square", "pow", "abs", "reciprocal", "clamp", "clip"),
    *("hardtanh", "sigmoid", "tanh", "hardsigmoid", "logsigmoid", "erf", "sin", "cos", "clamp_min"),
    *("clamp_max", "sign", "threshold", "softsign", "rrelu", "quick_gelu"),
}
COMPARISONS = {"gt", "lt", "ge", "le", "eq", "ne", "greater", "less", "heaviside"}
STATISTICS = {
    *("mean", "var", "std", "norm", "vector_norm", "sum", "amax", "amin", "max", "min", "var_mean"),
    *("adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "linalg_norm", "linalg_vector_norm"),
}
SUMS = {"add", "sub", "addcmul"}
NORMS = {"norm", "vector_norm", "linalg_norm", "linalg_vector_norm"}
MATRIX = {"matmul", "bmm", "baddbmm", "addmm", "mv", "einsum"}
BENDS = {
    "relu",
    "relu6",
    "gelu",
    "silu",
    "mish",
    "elu",
    "leaky_relu",
    "hardswish",
    "prelu",
    "softplus",
    "exp",
}

ALIASES = {
    **dict.fromkeys(("rmul", "imul", "multiply"), "mul"),
    **dict.fromkeys(("radd", "iadd"), "add"),
    **dict.fromkeys(("isub", "subtract"), "sub"),
    **dict.fromkeys(("truediv", "itruediv", "idiv", "divide"), "div"),
    **dict.fromkeys(("rtruediv", "rdiv"), "rdiv"),
    **dict.fromkeys(("rmatmul", "mm"), "matmul"),
    "special_softmax": "softmax",
    "special_expit": "sigmoid",
    "log_sigmoid": "logsigmoid",
    "safe_softmax": "softmax",
}


INPUT = ("input",)
# Arguments by their names, in their order, where there are more tensors than the one called "input".
ARGUMENTS = {
    **dict.fromkeys(("mul", "add", "sub", "div", "matmul"), ("input", ("other", "mat2"))),
    "bmm": ("input", "mat2"),
    "mv": ("input", "vec"),
    "baddbmm": ("input", "batch1", "batch2"),
    "addmm": ("input", "mat1", "mat2"),
    "addcmul": ("input", "tensor1", "tensor2"),
    "lerp": ("input", "end", "weight"),
    **dict.fromkeys(("where", "searchsorted"), ()),  # something else comes first
}


def in_order(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments that were given by their names among the others; operands that were given as a list, too."""
    if name == "einsum" and len(args) == 2 and isinstance(args[1], list | tuple):
        return (args[0], *args[1]), kwargs
    missing = ARGUMENTS.get(name, INPUT)[len(args) :]
    if not missing:
        return args, kwargs
    made, left = list(args), dict(kwargs)
    for names in missing:
        known = next((one for one in (names if isinstance(names, tuple) else (names,)) if one in left), None)
        if known is None:
            break
        made.append(left.pop(known))
    return tuple(made), left


@lru_cache(maxsize=4096)
def plain(func) -> str:
    """The name of a function of torch, the same for `torch.mul`, `Tensor.mul_` and `*`."""
    name = getattr(func, "__name__", "").strip("_")
    return ALIASES.get(name, name)
