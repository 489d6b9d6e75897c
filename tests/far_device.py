"""A second kind of device, on any machine: its tensors hold values, and mix with no others.

torch keeps a place for devices that it does not know (``privateuseone``), and lets their operations
be written in Python. Here each of them is the CPU's own, on values that the CPU's tensors cannot
reach: so what runs here without an error says of every tensor where it is to live, as code for a
GPU must. Its random numbers are its own, as a GPU's are. What it cannot show is anything about a
GPU's arithmetic, memory, or speed.

Importing this module makes the device known to torch, for good: do it in a process of its own, as
``test_far_device`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

from course_utils.ground import leaves

NAME = "far"
CPU = torch.device("cpu")
_torch_generator = torch.Generator

# Operations that take tensors of two devices: copies, and positions given by indices.
_MIXING = {"_to_copy", "copy_", "index", "index_put", "index_put_", "_index_put_impl_"}
# Of the others, those that join take no exception; the rest do take a CPU's single number.
_JOINING = {"cat", "stack"}


class Far(torch.Tensor):
    """A tensor on the far device; ``near`` holds its values."""

    near: torch.Tensor

    @staticmethod
    def __new__(cls, near: torch.Tensor) -> Far:
        made: Far = torch.Tensor._make_wrapper_subclass(
            cls, near.size(), strides=near.stride(), storage_offset=near.storage_offset(),
            dtype=near.dtype, device=torch.device(NAME, 0),
        )  # fmt: skip
        made.near = near
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"far {self.near!r}"

    def __reduce_ex__(self, protocol: Any) -> Any:
        # In a file it is what torch.load(…, map_location="cpu") makes of a GPU's tensor.
        # torch leaves it untyped.
        return self.near.__reduce_ex__(protocol)  # type: ignore[no-untyped-call]

    @property
    def data(self) -> Any:
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        torch.Tensor.data.__set__(self, value)  # type: ignore[attr-defined]
        self.near = value.near

    def tolist(self) -> Any:
        return self.near.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError(f"can't convert a {NAME} tensor to numpy. Use Tensor.cpu() first")
        return self.near.detach().numpy()

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})


def _own(seed: int) -> int:
    """Another seed: the same one gives other numbers on another device."""
    return (seed + 0x5EED) % 2**63


class _Stream:
    """The device's global random numbers."""

    def __init__(self) -> None:
        self.seed(0)

    def seed(self, seed: int) -> None:
        self.state = _torch_generator().manual_seed(_own(seed)).get_state()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        kept = torch.get_rng_state()
        torch.set_rng_state(self.state)
        try:
            yield
        finally:
            self.state = torch.get_rng_state()
            torch.set_rng_state(kept)


class _Generator(torch.Generator):
    """A generator of the far device: torch lets Python write no generators of its own."""

    def __new__(cls, device: Any = "cpu") -> Any:
        made = _torch_generator.__new__(cls)
        made.far = torch.device(device).type == NAME
        return made

    def __init__(self, device: Any = "cpu") -> None:
        pass

    def manual_seed(self, seed: int) -> torch.Generator:
        return super().manual_seed(_own(seed) if self.far else seed)

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device(NAME, 0) if self.far else CPU

    far: bool


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    """Carry an operation out on the CPU, if a device would have."""
    seen: list[torch.Tensor] = []
    near_args, near_kwargs = _near(args, seen), _near(kwargs, seen)
    _refuse_mixtures(func, seen)
    asked = kwargs.get("device")
    if torch.Tag.nondeterministic_seeded in func.tags and kwargs.get("generator") is None:
        with _stream.at_work():
            result = func(*near_args, **near_kwargs)
    else:
        result = func(*near_args, **near_kwargs)
    if asked is not None and torch.device(asked).type != NAME:
        return result
    return _far(result, seen)


def _near(value: Any, seen: list[torch.Tensor]) -> Any:
    """Arguments as the CPU takes them; the tensors among them are noted."""
    if isinstance(value, (list, tuple)):
        return [_near(item, seen) for item in value]
    if isinstance(value, dict):
        return {name: _near(item, seen) for name, item in value.items()}
    if isinstance(value, torch.Tensor):
        seen.append(value)
        return value.near if isinstance(value, Far) else value
    return CPU if isinstance(value, torch.device) else value


def _far(result: Any, seen: list[torch.Tensor]) -> Any:
    """What came back, on the device; an argument that was changed in place is itself again."""
    if isinstance(result, (list, tuple)):
        return [_far(item, seen) for item in result]
    if isinstance(result, torch.Tensor):
        same = [x for x in seen if isinstance(x, Far) and x.near is result]
        return same[0] if same else Far(result)
    return result


def _refuse_mixtures(func: Any, seen: list[torch.Tensor]) -> None:
    name = func.overloadpacket.__name__
    near = [x for x in seen if not isinstance(x, Far) and (x.ndim or name in _JOINING)]
    if near and len(near) < len(seen) and name not in _MIXING:
        raise RuntimeError(
            f"{name}: Expected all tensors to be on the same device, but found at least two "
            f"devices, {NAME}:0 and cpu!"
        )


_stream = _Stream()
# torch.tensor and torch.as_tensor skip what is written in Python when they move data to a device.
_torch_tensor, _torch_as_tensor = torch.tensor, torch.as_tensor


def _tensor(data: Any, *, device: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    made = _torch_tensor(data, **options)
    return (made if device is None else made.to(device)).requires_grad_(requires_grad)


def _as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    made = _torch_as_tensor(data, dtype=dtype)
    return made if device is None else made.to(device)


class _Module(_DummyBackendModule):
    """The device's own functions."""

    def get_rng_state(self, device: Any = None) -> torch.Tensor:
        return _stream.state

    def set_rng_state(self, state: torch.Tensor, device: Any = None) -> None:
        _stream.state = state

    def manual_seed_all(self, seed: int) -> None:
        _stream.seed(seed)


class _Factories(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes the tensors that are asked for with a device and without another tensor."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if device is not None and torch.device(device).type == NAME:
            return _run(func, args, kwargs)
        return func(*args, **kwargs)


class _Generators(TorchFunctionMode):
    """Refuses a generator of another device than the numbers that it is to draw."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        generator = kwargs.get("generator")
        if isinstance(generator, _Generator):
            tensors = (x.device for x in args if isinstance(x, torch.Tensor))
            where = torch.device(kwargs.get("device") or next(tensors, CPU))
            if where.type != generator.device.type:
                raise RuntimeError(
                    f"Expected a '{where.type}' device type for generator but found "
                    f"'{generator.device.type}'"
                )
        return func(*args, **kwargs)


@contextmanager
def far_device() -> Iterator[str]:
    """The far device's name; in the block, its tensors cross the wire as a GPU's do."""
    swapped = torch.__future__.get_swap_module_params_on_conversion()
    # model.to(device) keeps its parameters, as between the CPU and a GPU.
    torch.__future__.set_swap_module_params_on_conversion(True)
    factories, generators = _Factories(), _Generators()  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch, factories, generators:
        patch.setattr(torch, "tensor", _tensor)
        patch.setattr(torch, "as_tensor", _as_tensor)
        patch.setattr(torch, "Generator", _Generator)
        patch.setattr(leaves, "_DEVICES", (*leaves._DEVICES, NAME))
        yield NAME
    torch.__future__.set_swap_module_params_on_conversion(swapped)


# Once a process and for good: before the first backward pass, whose engine counts the devices.
_setup_privateuseone_for_python_backend(NAME, _Module())
