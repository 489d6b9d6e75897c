"""A million messages that no honest process sends: ``make fuzz``, and a short part in the suite."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import fuzzing
import msgpack
import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.calls.digest import returned
from course_utils.calls.protocol import Request, Response
from course_utils.ground import kinds, wire
from course_utils.sandbox.cells import Allowance, cell_run

MESSAGES = 1_000_000
EXAMPLES = 20_000

TAGS = ("tuple", "dict", "packed", "array", "scalar", "tensor", "numpy_generator",
        "torch_generator", "object", "")  # fmt: skip
FIELDS = ("$", "items", "data", "dtype", "shape", "device", "requires_grad", "parameter", "state")
TEXTS = ("<f8", "<f4", "<i8", "|b1", "<c16", "<c32", "<f16", "|O", "<U4", "f8,f8", "(9,)f8", "|V8",
         "float64", "float32", "bfloat16", "bool", "complex64", "quint8", "int64", "cpu", "cuda",
         "cuda:99", "meta", "mps", "cpu:7", "PCG64", "MT19937", "0x1", "é", "")  # fmt: skip
REQUEST = Request("f", [1.0, 2.0], {"axis": 0})


def most(case: bytes) -> int:
    """What the wire's docstring states, where every byte may be a value, and what digests take."""
    return 4 * len(case) + 256 * min(len(case), wire.MAX_VALUES) + 2**21


def target(case: bytes) -> None:
    """Decode a message, and use what comes as the judge does."""
    value = wire.loads(case)
    kinds.unjudgeable(value)
    returned(value)
    for use in (
        lambda: Request.from_wire(value),
        lambda: Response.from_wire(value, REQUEST),
        lambda: cell_run(0, value, Allowance(10_000)),
    ):
        with contextlib.suppress(wire.WireError):
            use()


def valid(rng: random.Random, depth: int = 0) -> Any:
    """A value that crosses."""
    few = range(rng.randrange(4))
    kind = rng.randrange(13 if depth < 4 else 9)
    match kind:
        case 0:
            return rng.choice((None, True, False, 0, -1, 2**63 - 1, -(2**63)))
        case 1:
            return rng.choice((0.0, -0.0, 1e308, float("inf"), float("nan"), 5e-324))
        case 2:
            return rng.choice(TEXTS)
        case 3:
            return rng.randbytes(rng.randrange(20))
        case 4 | 5:
            shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
            return np.full(shape, 1, rng.choice("?bhilBHILefdgFDG"))
        case 6:
            return rng.choice((np.float32(1.5), np.int8(3), np.bool_(True), np.longdouble(2)))
        case 7:
            kinds_ = (torch.float64, torch.bfloat16, torch.bool, torch.int8, torch.complex64)
            return torch.ones([rng.randrange(3) for _ in few], dtype=rng.choice(kinds_))
        case 8:
            return rng.choice((np.random.default_rng(1), torch.nn.Parameter(torch.ones(2)),
                               torch.ones(1, requires_grad=True)))  # fmt: skip
        case 9:
            return tuple(valid(rng, depth + 1) for _ in few)
        case 10:
            return {rng.choice((*TEXTS, 1, 2**61)): valid(rng, depth + 1) for _ in few}
        case 11 if depth == 0:
            return {"value": wire.Packed(valid(rng, 1)), "modified": [0], "seconds": 0.1}
        case _:
            return [valid(rng, depth + 1) for _ in few]


def odd(rng: random.Random, depth: int = 0) -> Any:
    """A piece of a message that need not make sense."""
    match rng.randrange(12 if depth < 4 else 6):
        case 0:
            return rng.choice((None, True, -1, 0, 2**40, 2**63, -(2**63), 2**64 - 1))
        case 1:
            return rng.choice((float("nan"), float("inf"), 1e300))
        case 2 | 3:
            return rng.choice((*TEXTS, *TAGS))
        case 4 | 5:
            return rng.randbytes(rng.choice((0, 1, 8, 16, 5056)))
        case 6:
            return [rng.choice((0, 1, 2, 2**31, 2**62, -1, 1.0))] * rng.choice((1, 2, 33))
        case 7:
            return msgpack.packb(odd(rng, depth + 1))
        case 8 | 9:
            tree = {name: odd(rng, depth + 1) for name in rng.sample(FIELDS, rng.randrange(7))}
            return tree | {"$": rng.choice(TAGS)}
        case 10:
            return {rng.choice((1, b"k", 1.5, None, "k")): odd(rng, depth + 1)}
        case _:
            return [odd(rng, depth + 1) for _ in range(rng.randrange(4))]


def large(rng: random.Random) -> bytes:
    """Many small values, and heads that announce more than comes."""
    count = rng.choice((10, 1000, 20_000, 99_999, 2**31))
    item = rng.choice((b"\x90", b"\x80", b"\xc4\x02ab", b"\xa2\xc3\xa9", b"\xcb" + bytes(8),
                       b"\xdd\x00\x01\x86\xa0", wire.dumps(()), wire.dumps({}),
                       wire.dumps(np.zeros(0)), wire.dumps(torch.zeros(0)),
                       wire.dumps([0, (2**61 - 1, {})])))  # fmt: skip
    body = item * rng.choice((1, min(count, 30_000)))
    return b"\xdd" + count.to_bytes(4, "big") + body


def messages(count: int, seed: int) -> Iterator[bytes]:
    """Of ten: four mutations, two retold trees, three made-up trees, one of random bytes; of ten
    thousand, one is large."""
    rng = random.Random(seed)
    seeds = [wire.dumps(valid(rng)) for _ in range(300)]
    for number in range(count):
        if number % 10_000 == 1999:
            yield large(rng)
            continue
        match rng.randrange(10):
            case 0 | 1 | 2 | 3:
                yield fuzzing.mutated(rng, rng.choice(seeds), seeds)
            case 4 | 5:
                tree = msgpack.unpackb(rng.choice(seeds), strict_map_key=False)
                yield packed(fuzzing.retold(rng, tree, odd))
            case 6 | 7 | 8:
                yield packed(odd(rng))
            case _:
                yield rng.randbytes(rng.randrange(60))


def packed(tree: Any) -> bytes:
    made: bytes = msgpack.packb(tree, use_bin_type=True)
    return made


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.binary(max_size=32),
    st.sampled_from((*TEXTS, *TAGS)), st.text(max_size=5),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5)
    | st.fixed_dictionaries({"$": st.sampled_from(TAGS)}, optional=dict.fromkeys(FIELDS[1:], inner))
    | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    | inner.map(packed),
    max_leaves=25,
)


def hypothesis_part(examples: int) -> None:
    """Trees whose failures shrink."""

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(TREES)
    def only_wire_errors(tree: Any) -> None:
        with contextlib.suppress(wire.WireError):
            target(packed(tree))

    only_wire_errors()


def main(count: int = MESSAGES, examples: int = EXAMPLES, seed: int = 0) -> fuzzing.Tally:
    """Fuzz the wire; prints and returns what came of it."""
    tally = fuzzing.run("wire", messages(count, seed), target, wire.WireError, most)
    hypothesis_part(examples)
    print(f"{tally}\n  and {examples:,} trees of Hypothesis'", flush=True)
    return tally


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
