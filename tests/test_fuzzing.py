"""A short part of ``make fuzz``, so that the fuzzers themselves keep working."""

from __future__ import annotations

import fuzz_notebooks
import fuzz_traces
import fuzz_wire
import fuzzing
import pytest


def test_the_wire() -> None:
    tally = fuzz_wire.main(4_000, 200)
    assert tally.ends["accepted"] > 400 < tally.ends["refused (WireError)"]


def test_notebooks() -> None:
    tally = fuzz_notebooks.main(400)
    assert tally.ends["accepted"] > 40 < tally.ends["refused (UnreadableError)"]


def test_books_of_traces() -> None:
    tally = fuzz_traces.main(600)
    assert tally.ends["accepted"] > 30 < tally.ends["refused (TraceBookError)"]


def test_another_error_is_found() -> None:
    with pytest.raises(AssertionError, match=r"ZeroDivisionError.*b.x."):
        fuzzing.run("broken", [b"x"], lambda case: 1 // 0, ValueError, len)


def test_too_much_memory_is_found() -> None:
    def hungry(case: bytes) -> None:
        bytearray(10**6)

    with pytest.raises(AssertionError, match="bytes for 1"):
        fuzzing.run("hungry", [b"x"], hungry, ValueError, lambda case: 1000)
