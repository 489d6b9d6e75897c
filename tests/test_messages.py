"""What students read when a test fails holds no names or notation from inside the machinery.

Misconceptions of every lab and mutants of its solutions are run in memory, three of each an
exercise by default; ``COURSE_ALL=1`` takes them all (minutes).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import pytest
from messages import internals_in
from tiny import REPOSITORY

from course_utils.calls.probe import Probe
from course_utils.gate.points.mutants import mutants, spliced
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.testing.loading import load_module
from course_utils.testing.marker import mark_of
from course_utils.verdict.outcome import TestOutcome

SAMPLE = None if os.environ.get("COURSE_ALL") else 3
FOLDERS = sorted(path for path in (REPOSITORY / "solutions").glob("lab*") if path.is_dir())


@lru_cache(maxsize=1)
def internal_names(bench: Workbench) -> frozenset[str]:
    """The names of a lab's tests, probes, fixtures and helpers, where they are recognisable.

    One word could be anybody's ("path", "groups"); a name with an underscore is a name.
    """
    found = set()
    for file in bench.lab.test_files:
        for name, value in vars(load_module(file)).items():
            ours = getattr(value, "__module__", "") == load_module(file).__name__
            if isinstance(value, Probe):
                found |= {name, value.name}
            elif mark_of(value) or ours or type(value).__name__ == "FixtureFunctionDefinition":
                found.add(name)
    own = {name for name in bench.namespace if not name.startswith("_")}
    return frozenset(name for name in found - own if "_" in name)


def sampled(some: Sequence[Any]) -> Sequence[Any]:
    """Some of these, evenly spread."""
    step = max(1, len(some) // SAMPLE) if SAMPLE else 1
    return some[::step][:SAMPLE]


def outcomes(bench: Workbench) -> Iterator[tuple[str, list[TestOutcome]]]:
    """What the tests find of misconceptions and mutants, each with its name."""
    for exercise in bench.exercises():
        entries = [entry for entry in bench.misconceptions if entry.exercise == exercise]
        for entry in sampled(entries):
            yield entry.name, bench.run(entry, exercises=[exercise])
        solution = bench.originals.of(exercise)[0].text
        for mutant in sampled(list(mutants(solution))):
            with contextlib.suppress(Exception):  # one that does not even define anything
                text = spliced(solution, mutant)
                yield mutant.change, bench.run_text(exercise, text, seconds=2.0)


def said(bench: Workbench) -> Iterator[tuple[str, str, str]]:
    for name, found in outcomes(bench):
        for outcome in found:
            if not outcome.passed:
                yield name, outcome.test, outcome.message


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_messages_hold_nothing_internal(folder: Any) -> None:
    bench = workbench_of(folder)
    names = internal_names(bench)
    assert names
    told: dict[str, str] = {}
    for name, test, message in said(bench):
        if found := internals_in(message, names):
            told.setdefault(message, f"{test} says {found} to {name}: {message}")
    assert not told, f"{len(told)} messages:\n" + "\n".join(list(told.values())[:20])


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("the result['own shares'][2] is off", ["['", "']["]),
        ("arguments_after_call raised KeyError", ["arguments_after_call"]),
        ("see /home/ada/x.py", ["/home/ada/x.py"]),
        ("<function f at 0x7f>", ["<function", " at 0x"]),
        ("the gradient: you 0.226, torch 0.789 at [2, 4] (−h/n, n/(n−1))", []),
    ],
)
def test_what_is_internal_is_found(message: str, found: list[str]) -> None:
    seen = internals_in(message, ["arguments_after_call"])
    assert set(found) <= set(seen) and bool(found) is bool(seen)
