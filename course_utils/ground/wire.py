"""The wire format: plain values and arrays as msgpack, and nothing that can run.

Values that cross between the judge and a student's code are numbers, strings, None, lists,
tuples, dicts, NumPy arrays, torch tensors (with their device) and random generators (as their
state). Pickle is never involved. Whatever arrives is measured before any of it is built, and
checked before it is used: how many values it holds, how deep they are nested, of which kinds dict
keys are, and that an array's bytes are as many as its shape and dtype say.

Decoding a message takes at most **four times its bytes, the message included, and 256 bytes for
each of the values in it**, of which there are at most :data:`MAX_VALUES`. A few of a kind that
cannot be that small, a tensor or a generator, consist of ten values and more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from course_utils.ground import leaves
from course_utils.ground.kinds import in_words, is_sympy, is_torch_generator
from course_utils.ground.measure import count_values

MAX_MESSAGE_BYTES = 64 * 2**20
MAX_DEPTH = 16
# Of one list, tuple or dict.
MAX_ITEMS = 100_000
# Of a whole value, as msgpack counts: a number is one, an item of a dict three, an array nine.
MAX_VALUES = 500_000
# The hashes of texts are salted, but whole numbers can be chosen so that a dict takes time with
# the square of their count to build.
MAX_NUMBER_KEYS = 10_000

# A response around a value is a few values more than it; a dict in a dict is three containers.
_MAX_RECEIVED = MAX_VALUES + 10_000
_MAX_CONTAINERS = 3 * (MAX_DEPTH + 2)
_TAG_FIELDS = 8


class WireError(ValueError):
    """What arrived is not a value of this format; the message says why."""


class UnsendableError(TypeError):
    """This value cannot cross the wire; the message names what it is."""


class Packed:
    """A value that is encoded already, and crosses inside a message as the value itself.

    So a value that answers differently each time it is read is read once.
    """

    def __init__(self, value: Any) -> None:
        self.data = dumps(value)

    def unpack(self) -> Any:
        """The value, built anew from its bytes.

        Raises:
            WireError: it does not cross; a tensor of a device that this process does not use, say.
        """
        return loads(self.data)


# -- out


def dumps(value: Any) -> bytes:
    """Encode a value.

    Raises:
        UnsendableError: the value, or one inside it, is of a type that does not cross the wire, or
            it is too large.
    """
    packed: bytes = msgpack.packb(_encode(value, 0), use_bin_type=True)
    _require_room(len(packed))
    if len(packed) > MAX_VALUES:  # a value is a byte or more
        _require_few_values(packed)
    return packed


def _require_room(size: int) -> None:
    if size > MAX_MESSAGE_BYTES:
        raise UnsendableError(
            f"a value of {size / 2**20:.0f} MiB (the limit is {MAX_MESSAGE_BYTES // 2**20} MiB)"
        )


def _require_few_values(packed: bytes) -> None:
    try:
        count_values(packed, MAX_VALUES, _MAX_CONTAINERS)
    except ValueError:
        raise UnsendableError(
            f"a structure of more than {MAX_VALUES:,} parts (arrays and tensors may be larger)"
        ) from None


_AS_THEY_ARE = frozenset({bool, float, str, bytes, type(None)})
_ATOMS = _AS_THEY_ARE | {int}


def _encode(value: Any, depth: int, within: tuple[int, ...] = ()) -> Any:
    if depth > MAX_DEPTH:
        raise UnsendableError(f"a structure nested more than {MAX_DEPTH} deep")
    if type(value) in _AS_THEY_ARE:  # most of what crosses
        return value
    if value is None or isinstance(value, (bool, str, bytes)):
        return value if value is None else _plain(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_leaf(leaves.array_tree, value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise UnsendableError("an integer of more than 64 bits")
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple, dict)):
        return _encode_items(value, depth, within)
    if isinstance(value, np.random.Generator):
        state = leaves.numpy_generator_state(value)
        return {"$": "numpy_generator", "state": _encode(state, depth)}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _encode_leaf(leaves.tensor_tree, value)
    if is_torch_generator(value):
        return leaves.torch_generator_tree(value)
    if isinstance(value, Packed):
        return {"$": "packed", "data": value.data}
    if is_sympy(value) and value.is_number:
        return float(value)
    raise UnsendableError(in_words(value))


def _encode_leaf(tree_of: Callable[[Any], leaves.Tree], value: Any) -> leaves.Tree:
    _require_room(leaves.size_of(value))  # before it is copied
    try:
        return tree_of(value)
    except leaves.NoLeafError as error:
        raise UnsendableError(str(error)) from None


def _encode_items(value: Any, depth: int, within: tuple[int, ...]) -> Any:
    if id(value) in within:
        raise UnsendableError(f"{in_words(value)} that contains itself")
    if len(value) > MAX_ITEMS:
        raise UnsendableError(
            f"{in_words(value)} of {len(value):,} items (the limit is {MAX_ITEMS:,}; arrays and "
            "tensors may be larger)"
        )
    within = (*within, id(value))
    if isinstance(value, list):
        return [_encode(item, depth + 1, within) for item in value]
    if isinstance(value, tuple):
        return {"$": "tuple", "items": [_encode(item, depth + 1, within) for item in value]}
    for key in value:
        if not isinstance(key, (str, int)):
            raise UnsendableError(
                f"a dict with {_A_KEY.get(type(key), 'a key of type ' + type(key).__name__)}"
            )
    if sum(isinstance(key, int) for key in value) > MAX_NUMBER_KEYS:
        raise UnsendableError(f"a dict with more than {MAX_NUMBER_KEYS:,} numbers as keys")
    items = [[_encode(k, depth + 1), _encode(v, depth + 1, within)] for k, v in value.items()]
    return {"$": "dict", "items": items}


_A_KEY: dict[type, str] = {
    float: "a float as a key", tuple: "a tuple as a key", type(None): "the key None",
}  # fmt: skip


def _plain(value: bool | str | bytes) -> bool | str | bytes:
    """The built-in value of a possibly subclassed one."""
    for kind in (bool, str, bytes):
        if isinstance(value, kind):
            return kind(value)  # type: ignore[arg-type]  # kind is the value's own type
    raise AssertionError


# -- in


def loads(data: bytes | bytearray) -> Any:
    """Decode what :func:`dumps` made.

    Raises:
        WireError: the bytes are not a message of this format.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise WireError(f"a message of {len(data)} bytes is over the limit")
    return _Reader().message(data)


class _Reader:
    """Decodes one message, and what is packed in it, within one budget of values."""

    def __init__(self) -> None:
        self._left = _MAX_RECEIVED
        self._in_packed = False

    def message(self, data: bytes | bytearray) -> Any:
        try:
            self._left -= count_values(data, self._left, _MAX_CONTAINERS)
            tree = msgpack.unpackb(
                data, raw=False, strict_map_key=True, max_array_len=MAX_ITEMS,
                max_map_len=_TAG_FIELDS, max_ext_len=0,
            )  # fmt: skip
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise WireError(f"not a message: {error}") from None
        return self._value(tree, 0)

    def _value(self, tree: Any, depth: int) -> Any:
        if depth > 2 * MAX_DEPTH:
            raise WireError("nested too deep")
        if type(tree) in _ATOMS:
            return tree
        if isinstance(tree, list):
            return self._items(tree, depth)
        tag = tree.get("$")
        if tag in ("array", "scalar", "tensor", "torch_generator"):
            return _leaf(_LEAVES[tag], tree)
        if tag == "tuple":
            return tuple(self._items(_list(tree, "items"), depth))
        if tag == "dict":
            return self._dict(_list(tree, "items"), depth)
        if tag == "numpy_generator":
            return _leaf(leaves.numpy_generator_of, self._value(tree.get("state"), depth + 1))
        if tag == "packed":
            return self._packed(tree.get("data"), depth)
        raise WireError("a value of no known kind")

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        for place, item in enumerate(items):  # in place: two trees would take twice the room
            items[place] = self._value(item, depth + 1)
        return items

    def _dict(self, items: list[Any], depth: int) -> dict[Any, Any]:
        if not all(type(item) is list and len(item) == 2 for item in items):
            raise WireError("a dict's items are no pairs")
        if not all(type(key) in (str, int, bool) for key, _ in items):
            raise WireError("a dict's keys are neither texts nor whole numbers")
        if sum(type(key) is not str for key, _ in items) > MAX_NUMBER_KEYS:
            raise WireError("a dict has too many numbers as keys")
        found = {}
        for place, (key, value) in enumerate(items):
            items[place] = None
            found[key] = self._value(value, depth + 1)
        if len(found) != len(items):
            raise WireError("a dict has a key twice")
        return found

    def _packed(self, data: Any, depth: int) -> Any:
        """A value that was encoded beforehand; such a value holds no other one."""
        if type(data) is not bytes or self._in_packed:
            raise WireError("a packed value is not as it should be")
        self._in_packed = True
        try:
            return self.message(data)
        finally:
            self._in_packed = False


_LEAVES: dict[str, Callable[[leaves.Tree], Any]] = {
    "array": leaves.array_of,
    "scalar": leaves.array_of,
    "tensor": leaves.tensor_of,
    "torch_generator": leaves.torch_generator_of,
}


def _leaf(read: Callable[[Any], Any], tree: Any) -> Any:
    try:
        return read(tree)
    except leaves.LeafError as error:
        raise WireError(str(error)) from None


def _list(tree: dict[str, Any], name: str) -> list[Any]:
    items = tree.get(name)
    if type(items) is not list:
        raise WireError("a value's items are missing")
    return items
