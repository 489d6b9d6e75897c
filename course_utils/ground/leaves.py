"""Arrays, tensors and random generators as plain trees, and back; nothing in them is believed.

What is built from a tree has bytes of the tree's own behind every entry: no shape, dtype or
device that a message names makes room for more than it has brought.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from course_utils.ground import devices
from course_utils.ground.kinds import clipped, in_words

Tree = dict[str, Any]

# Where a tensor that arrives may live. Any other place ("meta") holds no values to look at.
_DEVICES = ("cpu", "cuda", "mps")

# Where a long double is a double, it goes by the latter's name.
_NUMPY_TYPES = (
    "longdouble clongdouble bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 "
    "float32 float64 complex64 complex128"
).split()
# By the name under which each crosses.
_DTYPES = {np.dtype(name).newbyteorder("<").str: np.dtype(name) for name in _NUMPY_TYPES}
_TORCH_DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128"
).split()
_MOST_AXES = 32
# An empty array has no bytes to vouch for its other axes, and a sum over the axis of length 0
# makes room for all of them.
_MOST_EMPTY = 2**20


class LeafError(ValueError):
    """A tree is none of these values; the message says why."""


class NoLeafError(TypeError):
    """An array or tensor is of a kind that does not cross; the message names it."""


# -- arrays


def array_tree(value: np.ndarray[Any, Any] | np.generic) -> Tree:
    """The tree of an array or of one of NumPy's numbers.

    Raises:
        NoLeafError: its dtype does not cross, or it is masked.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise NoLeafError(in_words(value))  # what lies under the mask is no value
    array = np.asarray(value)
    little = array.dtype.newbyteorder("<")
    if little.str not in _DTYPES:
        raise NoLeafError(f"an array of dtype {clipped(str(array.dtype))}")
    return {
        "$": "scalar" if isinstance(value, np.generic) else "array",
        "dtype": little.str,
        "shape": list(array.shape),
        "data": np.ascontiguousarray(array.astype(little)).tobytes(),
    }


def array_of(tree: Tree) -> Any:
    """The array of a tree, or the number: a writable copy.

    Raises:
        LeafError: the tree is none, or its bytes are not those of its shape.
    """
    dtype = _DTYPES.get(_text(tree, "dtype"))
    if dtype is None:
        raise LeafError("arrays of this dtype do not cross")
    shape, data = _shape(tree, dtype.itemsize), _data(tree)
    if dtype.kind == "b":
        array = np.frombuffer(data, np.uint8).reshape(shape) != 0  # True is 1, and not 2
    else:
        array = np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape).astype(dtype)
    return np.asarray(array)[()] if tree["$"] == "scalar" else np.asarray(array)


# -- tensors


def tensor_tree(value: Any) -> Tree:
    """The tree of a tensor.

    Raises:
        NoLeafError: its layout, dtype or device does not cross.
    """
    import torch

    name = str(value.dtype).removeprefix("torch.")
    if value.layout is not torch.strided or value.is_nested:
        raise NoLeafError(f"a {'nested' if value.is_nested else 'sparse'} tensor")
    if name not in _TORCH_DTYPES:
        raise NoLeafError(f"a tensor of dtype {name}")
    if value.device.type not in _DEVICES:
        raise NoLeafError(f"a tensor on the device {value.device.type}, which holds no values")
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if name == "bfloat16":  # NumPy has no such type: its bits travel as integers
        plain = plain.view(torch.int16)
    return {
        "$": "tensor",
        "dtype": name,
        "shape": list(value.shape),
        "data": plain.numpy().tobytes(),
        "device": str(value.device),
        "requires_grad": bool(value.requires_grad),
        # Not isinstance, which for this class is a slow look at every tensor's attributes.
        "parameter": type(value) is torch.nn.Parameter,
    }


def tensor_of(tree: Tree) -> Any:
    """The tensor of a tree, on its device, or the ``torch.nn.Parameter``.

    Raises:
        LeafError: the tree is none, its bytes are not those of its shape, or this process does
            not use its device.
    """
    import torch

    name = _text(tree, "dtype")
    if name not in _TORCH_DTYPES:
        raise LeafError("tensors of this dtype do not cross")
    dtype = getattr(torch, name)
    device = _device(tree)
    shape, data = _shape(tree, dtype.itemsize), _data(tree)
    wanted = tree.get("requires_grad")
    if type(wanted) is not bool or (wanted and not (dtype.is_floating_point or dtype.is_complex)):
        raise LeafError("a tensor's requires_grad is not what it can be")
    if not data:
        tensor = torch.empty(shape, dtype=dtype)
    elif dtype is torch.bool:
        tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(shape) != 0
    else:
        tensor = torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
    tensor = tensor.to(device)
    if tree.get("parameter") is True:
        return torch.nn.Parameter(tensor, requires_grad=wanted)
    return tensor.requires_grad_(wanted)


def _device(tree: Tree) -> Any:
    """The device that a tree names, if this process uses it anyway: a message starts no GPU."""
    import torch

    try:
        device = torch.device(_text(tree, "device"))
    except RuntimeError:
        raise LeafError("there is no such device") from None
    used = device.type in _DEVICES
    if device.type == "cuda":
        live = bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
        used = live or devices.resolve() == "cuda"
        used = used and (device.index or 0) < torch.cuda.device_count()
    elif device.type == "mps":
        used = torch.backends.mps.is_available()
    if not used:
        raise LeafError("tensors on this device do not cross")
    return device


# -- random generators


def numpy_generator_state(value: np.random.Generator) -> Mapping[str, Any]:
    """A NumPy generator's state with its 128-bit integers as text, which msgpack can hold."""
    state = value.bit_generator.state
    inner = {k: hex(v) if isinstance(v, int) else v for k, v in state["state"].items()}
    return {**state, "state": inner}


def numpy_generator_of(state: Any) -> np.random.Generator:
    """The generator in a state.

    Raises:
        LeafError: it is no state, or another generator's than PCG64.
    """
    try:
        if state["bit_generator"] != "PCG64":
            raise LeafError("only PCG64 generators cross")
        inner = {name: int(state["state"][name], 16) for name in ("state", "inc")}
        if not all(0 <= number < 2**128 for number in inner.values()):
            raise LeafError("this is no state of a generator")
        has, held = int(state["has_uint32"]), int(state["uinteger"])
        bits: Any = np.random.PCG64(0)
        bits.state = {**state, "state": inner, "has_uint32": has, "uinteger": held}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise LeafError("this is no state of a PCG64 generator") from None
    return np.random.Generator(bits)


def torch_generator_tree(value: Any) -> Tree:
    """The tree of a generator of torch's."""
    state = bytes(value.get_state().numpy())
    return {"$": "torch_generator", "device": str(value.device), "state": state}


def torch_generator_of(tree: Tree) -> Any:
    """The generator of a tree.

    Raises:
        LeafError: the tree is none.
    """
    import torch

    state = tree.get("state")
    if type(state) is not bytes or not state:
        raise LeafError("this is no state of a generator")
    generator = torch.Generator(device=_device(tree))
    try:
        generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
    except (RuntimeError, TypeError):
        raise LeafError("this is no state of a generator") from None
    return generator


# -- what trees hold


def size_of(value: Any) -> int:
    """How many bytes an array's, a number's or a tensor's entries take; 0 for anything else."""
    if isinstance(value, (np.ndarray, np.generic)):
        return int(value.nbytes)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return int(value.numel() * value.element_size())
    return 0


def _text(tree: Tree, name: str) -> str:
    value = tree.get(name)
    if type(value) is not str or len(value) > 32:
        raise LeafError(f"its {name} is no name")
    return value


def _data(tree: Tree) -> bytes:
    data: bytes = tree["data"]
    return data


def _shape(tree: Tree, itemsize: int) -> tuple[int, ...]:
    """A shape that the tree's data fill exactly."""
    shape, data = tree.get("shape"), tree.get("data")
    if type(shape) is not list or len(shape) > _MOST_AXES or type(data) is not bytes:
        raise LeafError("not the shape or the bytes of an array")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise LeafError("not the shape of an array")
    if prod(shape) * itemsize != len(data):
        raise LeafError("an array's bytes do not fit its shape")
    if prod(n for n in shape if n) > max(len(data), _MOST_EMPTY):
        raise LeafError("an empty array's other axes are too long")
    return tuple(shape)
