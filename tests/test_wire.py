"""The wire carries values, and nothing else, in both directions."""

from __future__ import annotations

import os
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
import sympy
import torch

from course_utils.ground import kinds, measure, wire

VALUES: list[Any] = [
    None, True, -3, 2.5, float("inf"), "ü", b"\x00", [1, [2]], (1, (2, "x")),
    {"a": 1, 2: [3]}, {}, [], (),
    np.arange(6.0).reshape(2, 3), np.array(3), np.float32(1.5), np.array([], dtype=np.int8),
    np.arange(4, dtype=">i4"), np.arange(6).reshape(2, 3).T, np.array([1 + 2j]), np.array([True]),
    torch.arange(6.0).reshape(2, 3).T, torch.tensor([1.5], dtype=torch.bfloat16),
    torch.empty(0, 3), torch.tensor(2), torch.ones(2, requires_grad=True),
    torch.nn.Parameter(torch.ones(2)), [torch.ones(1), {"x": np.ones(1)}],
]  # fmt: skip


def same(a: Any, b: Any) -> bool:
    if isinstance(a, (np.ndarray, np.generic)):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, torch.Tensor):
        return (
            type(a) is type(b) and a.dtype == b.dtype and a.requires_grad == b.requires_grad
            and torch.equal(a, b)
        )  # fmt: skip
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_values_come_back_as_they_were(value: Any) -> None:
    back = wire.loads(wire.dumps(value))
    if isinstance(value, np.ndarray):
        value = value.astype(value.dtype.newbyteorder("="))
    assert same(value, back)


def test_generators_continue_their_stream() -> None:
    ours = np.random.default_rng(3)
    ours.random(5)
    theirs = wire.loads(wire.dumps(ours))
    assert np.array_equal(ours.random(4), theirs.random(4))
    generator = torch.Generator().manual_seed(7)
    torch.rand(3, generator=generator)
    copy = wire.loads(wire.dumps(generator))
    assert torch.equal(torch.rand(4, generator=generator), torch.rand(4, generator=copy))


def test_numbers_of_sympy_become_floats() -> None:
    assert wire.loads(wire.dumps(sympy.Rational(1, 4) + 1)) == 1.25


UNSENDABLE: list[Any] = [
    object(), lambda: 1, (x for x in "ab"), 2**70, {1.5: 1}, {None: 1}, np.array([object()]),
    np.array(["text"]), sympy.Symbol("x"), torch.ones(2).to_sparse(), type, 1j, {"a": {1}},
    torch.ones(2, device="meta"), np.ma.masked_array([1.0], [True]), [0] * (wire.MAX_ITEMS + 1),
    [[None] * wire.MAX_ITEMS] * 5, dict.fromkeys(range(wire.MAX_NUMBER_KEYS + 1)),
]  # fmt: skip


@pytest.mark.parametrize("value", UNSENDABLE, ids=range(len(UNSENDABLE)))
def test_what_cannot_cross_says_what_it_is(value: Any) -> None:
    with pytest.raises(wire.UnsendableError, match=r"\w"):
        wire.dumps(value)


def test_what_is_sent_can_be_received() -> None:
    """No limit on the way in is lower than the one on the way out."""
    deep: list[Any] = []
    for _ in range(wire.MAX_DEPTH):
        deep = [deep]
    texts = dict.fromkeys(map(str, range(wire.MAX_ITEMS)), 0)
    numbers = dict.fromkeys(range(wire.MAX_NUMBER_KEYS), 0)
    most = [[None] * wire.MAX_ITEMS] * 4 + [[None] * (wire.MAX_ITEMS - 6)]
    dicts: dict[str, Any] = {}
    for _ in range(wire.MAX_DEPTH):
        dicts = {"": dicts}
    for value in (deep, dicts, [1.0] * wire.MAX_ITEMS, texts, numbers, most):
        assert wire.loads(wire.dumps(value)) == value
        assert wire.loads(wire.dumps({"value": wire.Packed(value)})) == {"value": value}


def test_what_contains_itself_is_named() -> None:
    a: list[Any] = [1]
    a.append((a,))
    d: dict[str, Any] = {}
    d["d"] = [d]
    for value, words in ((a, "a list"), (d, "a dict")):
        with pytest.raises(wire.UnsendableError, match=f"{words} that contains itself"):
            wire.dumps(value)
    twice = [1.0]
    assert wire.loads(wire.dumps([twice, twice])) == [[1.0], [1.0]]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"x", "bytes"), ([1, (b"x",)], "bytes"), ({"a": {"b": b""}}, "bytes"),
        (np.random.default_rng(0), "a random generator"), ([torch.Generator()], "a random gen"),
        ("text", ""), (None, ""), ([1, {"a": torch.ones(2)}], ""), (np.ones(2), ""),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_crosses_but_is_no_answer_is_named(value: Any, words: str) -> None:
    found = kinds.unjudgeable(wire.loads(wire.dumps(value)))
    assert found.startswith(words) and bool(found) is bool(words)


def test_depth_and_size_are_bounded() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(wire.UnsendableError, match="nested"):
        wire.dumps(deep)
    with pytest.raises(wire.UnsendableError, match="MiB"):
        wire.dumps(np.zeros(wire.MAX_MESSAGE_BYTES // 8 + 1))


def array(**changes: Any) -> bytes:
    tree = {"$": "array", "dtype": "<f8", "shape": [2], "data": b"\x00" * 16} | changes
    packed: bytes = msgpack.packb(tree)
    return packed


def tensor(**changes: Any) -> bytes:
    tree = {"$": "tensor", "dtype": "float64", "device": "cpu", "requires_grad": False}
    return array(**tree | changes)


def generator(**changes: Any) -> bytes:
    inner = [["state", "0x1"], ["inc", "0x3"]]
    state = [
        ["bit_generator", "PCG64"], ["has_uint32", 0], ["uinteger", 0],
        ["state", {"$": "dict", "items": [[k, changes.get(k, v)] for k, v in inner]}],
    ]  # fmt: skip
    packed: bytes = msgpack.packb(
        {"$": "numpy_generator", "state": {"$": "dict", "items": state}}
    )
    return packed


def test_the_hostile_messages_are_one_step_from_good_ones() -> None:
    assert isinstance(wire.loads(array()), np.ndarray)
    assert isinstance(wire.loads(tensor()), torch.Tensor)
    assert isinstance(wire.loads(generator()), np.random.Generator)


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\xc1", b"\xff\xff", msgpack.packb({"a": 1}), msgpack.packb({"$": "pickle"}),
        msgpack.packb({"$": "tuple"}), msgpack.packb({"$": ["unhashable"]}),
        msgpack.packb(msgpack.ExtType(1, b"x")), msgpack.packb([1]) + b"more",
        array(dtype="|O"), array(dtype="O8"), array(dtype="no such"), array(dtype="<U4"),
        array(shape=[3]), array(shape=[-1]), array(shape=[2**60, 2**60]), array(shape=["2"]),
        array(shape=[1] * 64), array(data="text"), array(data=b"short"), array(shape=None),
        array(**{"$": "tensor"}), array(**{"$": "tensor", "dtype": "float64", "device": "nowhere",
                                           "requires_grad": False}),
        array(**{"$": "tensor", "dtype": "float64", "device": "meta", "requires_grad": False}),
        msgpack.packb({"$": "packed"}), msgpack.packb({"$": "packed", "data": b"\xc1"}),
        msgpack.packb({"$": "packed", "data": [1]}),
        msgpack.packb({"$": "packed", "data": msgpack.packb({"$": "packed", "data": b"\x01"})}),
        msgpack.packb({"$": "dict", "items": [[None, 1]]}),
        msgpack.packb({"$": "dict", "items": [[1.5, 1]]}),
        msgpack.packb({"$": "dict", "items": [[b"key", 1]]}),
        msgpack.packb({"$": "dict", "items": [[{"$": "tuple", "items": []}, 1]]}),
        msgpack.packb({"$": "dict", "items": [["a", 1], ["a", 2]]}),
        msgpack.packb({"$": "dict", "items": [["a", 1, 2]]}), msgpack.packb({1: 2}),
        msgpack.packb({"$": "dict", "items": [[n * (2**61 - 1), 0] for n in (1, 2, 3)] * 3334}),
        msgpack.packb({"$": "numpy_generator", "state": {"$": "dict", "items": [
            ["bit_generator", "MT19937"]]}}),
        msgpack.packb({"$": "numpy_generator", "state": None}),
        generator(state="0x" + "f" * 33), generator(state="1g5"), generator(inc=7),
        msgpack.packb({"$": "torch_generator", "device": "cpu", "state": b"\x01" * 5056}),
        msgpack.packb({"$": "torch_generator", "device": "cpu", "state": b""}),
        msgpack.packb({"$": "torch_generator", "device": "cuda:99", "state": b"1"}),
        array(dtype="<f8,<f8"), array(dtype="(2,)f8"), array(dtype=["<f8"]), array(dtype="<M8[s]"),
        array(dtype="f8"), array(shape=[0, 2**39], data=b""), array(shape=[2**32, 2**32, 0]),
        array(shape=[True, 2]), array(shape=[2.0]), array(shape={"$": "tuple", "items": [2]}),
        array(shape=[0, 2**20 + 1], data=b""), array(shape=[0] * 33, data=b""),
        tensor(device="cuda:99"), tensor(device="meta"), tensor(device="cpu" * 20),
        tensor(device=7), tensor(requires_grad=1), tensor(dtype="int64", requires_grad=True),
        tensor(dtype="quint8"), tensor(shape=[0, 2**40], data=b""), tensor(data="text"),
        b"\x91" * 10_000, b"\xdd\xff\xff\xff\xff",
    ],
    ids=lambda message: message[:24].hex() or "empty",
)  # fmt: skip
def test_hostile_messages_are_refused(message: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.loads(message)


@pytest.mark.parametrize(
    "item",
    [b"\x90", b"\xc4\x02ab", "é1".encode().join((b"\xa3", b"")), b"\xcb" + bytes(8),
     msgpack.packb({"$": "tuple", "items": []}), msgpack.packb({"$": "dict", "items": []}),
     array(shape=[0], data=b""), array(shape=[], data=bytes(8), **{"$": "scalar"}),
     tensor(shape=[], data=bytes(8), requires_grad=True, parameter=True), generator()],
    ids=["list", "bytes", "text", "float", "tuple", "dict", "array", "scalar", "parameter",
         "generator"],
)  # fmt: skip
def test_a_message_costs_no_more_than_is_stated(item: bytes) -> None:
    """Nothing but values of one kind, of every kind that is larger than its message."""
    values = measure.count_values(item, wire.MAX_VALUES, 20)
    count = 60_000 // values
    message = b"\xdd" + count.to_bytes(4, "big") + item * count
    before = _resident()
    tracemalloc.start()
    found = wire.loads(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == count
    allowed = 3 * len(message) + 256 * values * count
    assert peak < allowed
    assert _resident() - before < allowed + 32 * 2**20  # tracemalloc's own notes are in it


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_large_array_costs_three_times_its_bytes() -> None:
    message = wire.dumps({"value": wire.Packed(np.zeros(2**22))})
    tracemalloc.start()
    wire.loads(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.1 * len(message)


def test_lists_that_are_only_announced_cost_nothing() -> None:
    """Nested heads, each of which announces more than would ever come."""
    for message in (b"\xdd\x00\x01\x86\xa0" * 30, b"\x91" * 40 + b"\xdd\x00\x01\x86\xa0"):
        tracemalloc.start()
        with pytest.raises(wire.WireError):
            wire.loads(message)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**17


def test_truth_values_that_arrive_are_0_or_1() -> None:
    raw = bytes([0, 1, 2, 255])
    found = wire.loads(array(dtype="|b1", shape=[4], data=raw))
    assert found.view(np.uint8).tolist() == [0, 1, 1, 1]
    tensor_found = wire.loads(tensor(dtype="bool", shape=[4], data=raw))
    assert tensor_found.dtype == torch.bool
    assert tensor_found.view(torch.uint8).tolist() == [0, 1, 1, 1]


def test_a_message_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(wire.WireError, match="limit"):
        wire.loads(b"\x00" * (wire.MAX_MESSAGE_BYTES + 1))


def test_arrays_that_arrive_are_writable_copies() -> None:
    back = wire.loads(wire.dumps(np.zeros(3)))
    back += 1
    assert back.sum() == 3
