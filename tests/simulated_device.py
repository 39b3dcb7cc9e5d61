"""A second device without a second device: tensors that say they are on `cuda:0` and compute on the CPU.

`simulated_cuda()` is a `with` block in which `.to("cuda:0")`, `torch.zeros(..., device="cuda:0")` and the
like give tensors of the class `Elsewhere`. They raise what CUDA would raise: when an operation mixes them
with tensors on the CPU, when numpy asks for them, when a generator of the CPU is to fill them. As on CUDA, a
tensor of the CPU without axes may take part, and so may one that is copied from, or that holds indices.

The arithmetic is that of the CPU, so an answer must also be the same bit for bit. What this cannot show is
what rounding, kernels and memory of a real GPU do.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

CUDA = torch.device("cuda:0")
MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({})"
TO_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it to host memory first."
)
GENERATOR = "Expected a 'cuda' device type for generator but found 'cpu'"
aten = torch.ops.aten
COPIES = (aten.copy_, aten._to_copy)  # from one device to another
INDEXED = (aten.index, aten.index_put, aten.index_put_, aten._unsafe_index, aten._index_put_impl_)
# Operations on several tensors that take none without axes from another device.
STRICT = (aten.mm, aten.bmm, aten.addmm, aten.baddbmm, aten.convolution, aten.cat, aten.stack)


class Elsewhere(Tensor):
    """A tensor on the simulated device; `held` is where its values really are."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Elsewhere":
        made = Tensor._make_wrapper_subclass(  # the only way PyTorch has for a tensor that wraps another
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=held.device,
        )
        made.held = held
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Elsewhere({self.held!r}, device='{CUDA}')"

    @classmethod
    def __torch_function__(cls, func: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        """What Python code calls, before anything is computed."""
        kwargs = kwargs or {}
        if func in ANSWERS:
            return ANSWERS[func](*args, **kwargs)
        if func in CASTS:
            return cast(func, *args, **kwargs)
        with torch._C.DisableTorchFunctionSubclass():  # as `Tensor.__torch_function__` itself does
            return func(*args, **kwargs)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        """What is computed at last, forwards and backwards."""
        kwargs = kwargs or {}
        check(func, args, kwargs)
        made = func(*changed(args, Elsewhere, held), **changed(kwargs, Elsewhere, held))
        if func.overloadpacket is aten.copy_ and not isinstance(args[0], Elsewhere):
            return args[0]
        written = [args[place] for place in places_written(func) if place < len(args)]
        return written[0] if written else changed(made, Tensor, Elsewhere)


def held(value: Elsewhere) -> Tensor:
    return value.held


@cache
def places_written(func: Any) -> tuple[int, ...]:
    """The places of the arguments that an operation changes in place."""
    told = enumerate(func._schema.arguments)
    return tuple(place for place, one in told if one.alias_info is not None and one.alias_info.is_write)


def changed(value: Any, kind: type, change: Callable) -> Any:
    """The same lists, tuples and dictionaries, with every value of a class in them changed.

    PyTorch's `tree_map` does it for containers of any kind, and takes most of the time of a small operation.
    """
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, list):
        return [changed(one, kind, change) for one in value]
    if isinstance(value, tuple):
        return tuple([changed(one, kind, change) for one in value])
    if isinstance(value, dict):
        return {name: changed(one, kind, change) for name, one in value.items()}
    return value


def leaves(value: Any) -> Iterator[Any]:
    """What is in lists, tuples and dictionaries."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        yield value
        return
    for one in value:
        yield from leaves(one)


def check(func: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Raise what CUDA raises for an operation on tensors of two devices."""
    operation = func.overloadpacket
    if operation in COPIES:
        return
    if operation in INDEXED and isinstance(args[0], Elsewhere):
        args = (args[0], *args[2:])  # indices may come from the CPU
    on_cpu = [one for one in leaves((args, kwargs)) if is_plain(one)]
    if any(one.ndim or operation in STRICT for one in on_cpu):
        raise RuntimeError(MIXED.format(func))


def is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Elsewhere)


class Leave(torch.autograd.Function):
    """From the simulated device to the CPU."""

    @staticmethod
    def forward(ctx: Any, value: Elsewhere) -> Tensor:
        return value.held.detach().clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return Elsewhere(gradient)


class Arrive(torch.autograd.Function):
    """From the CPU to the simulated device."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return Elsewhere(value.detach().clone())

    @staticmethod
    def backward(ctx: Any, gradient: Elsewhere) -> Tensor:
        return gradient.held


def cast(func: Callable, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor.to`, `.cpu`, `.cuda`, whichever of the two devices the tensor is on and shall be on."""
    given = [*args, *kwargs.values()]
    dtypes = [one.dtype if isinstance(one, Tensor) else one for one in given]
    dtype = next((one for one in dtypes if isinstance(one, torch.dtype)), None)
    device = {Tensor.cpu: torch.device("cpu"), Tensor.cuda: CUDA}.get(func) or device_in(given)
    if device is not None and is_cuda(device) != isinstance(value, Elsewhere):
        value = Arrive.apply(value) if is_cuda(device) else Leave.apply(value)
    return value if dtype is None else value.type(dtype)


def device_in(given: list[Any]) -> torch.device | None:
    """The device among the arguments of `Tensor.to`."""
    for one in given:
        if isinstance(one, Tensor):
            return one.device
        if isinstance(one, torch.device | str | int) and not isinstance(one, bool):
            return torch.device(one)
    return None


def is_cuda(device: object) -> bool:
    return device is not None and torch.device(device).type == "cuda"


def to_numpy(*_args: Any, **_kwargs: Any) -> None:
    raise TypeError(TO_NUMPY)


def set_data(value: Elsewhere, data: Tensor) -> None:
    """`value.data = data`: the values change, and what autograd knows of the tensor does not."""
    if not isinstance(data, Elsewhere):
        raise RuntimeError(MIXED.format("set_data"))
    with torch._C.DisableTorchFunctionSubclass():
        Tensor.data.__set__(value, data)
    value.held = data.held


ANSWERS: dict[Callable, Callable] = {
    Tensor.device.__get__: lambda _: CUDA,
    Tensor.is_cuda.__get__: lambda _: True,
    Tensor.is_cpu.__get__: lambda _: False,
    Tensor.get_device: lambda _: 0,
    Tensor.data.__set__: set_data,
    Tensor.new_tensor: lambda value, data, **told: Elsewhere(value.held.new_tensor(data, **told)),
    Tensor.tolist: lambda value: value.held.tolist(),
    Tensor.numpy: to_numpy,
    Tensor.__array__: to_numpy,
}
CASTS = (Tensor.to, Tensor.cpu, Tensor.cuda)


class Arrivals(TorchFunctionMode):
    """Makes tensors of the CPU, and new ones, arrive on the simulated device when they are sent there."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in CASTS and is_plain(args[0]):
            return cast(func, *args, **kwargs)
        if func not in CASTS and is_cuda(kwargs.get("device")):
            if kwargs.get("generator") is not None:
                raise RuntimeError(
                    GENERATOR
                )  # a generator of CUDA cannot be made here, so it is one of the CPU
            made = func(*args, **{**kwargs, "device": "cpu"})
            return made if isinstance(made, Elsewhere) else Elsewhere(made)
        return func(*args, **kwargs)


@contextmanager
def simulated_cuda() -> Iterator[None]:
    """For the length of a `with` block, in this thread, there is a device `cuda:0`."""
    with ExitStack() as stack:
        stack.enter_context(patch("torch.cuda.synchronize"))  # nothing runs behind anybody's back
        stack.enter_context(Arrivals())
        # Else `Module.to` puts the values of one class of tensors into a parameter of another.
        stack.callback(
            torch.__future__.set_overwrite_module_params_on_conversion,
            torch.__future__.get_overwrite_module_params_on_conversion(),
        )
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        yield
