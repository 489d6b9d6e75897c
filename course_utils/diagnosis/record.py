"""Taking the traces of a lab's mistakes: make each in the solution's place, and run the tests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice
from pathlib import Path

from course_utils.calls.digest import Digest
from course_utils.calls.limited import LimitedBackend
from course_utils.diagnosis.comparison import differing, of_trace, same
from course_utils.diagnosis.rewriting import Namespace, Original, Originals
from course_utils.diagnosis.traces import (
    KnownMistake,
    Trace,
    TraceBook,
    answers_vary,
    digests,
    is_hidden,
    joined,
    key_of,
)
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

_SECONDS = 5.0  # for one call of a mistake
# So that books are the same wherever they are made: a GPU draws other random numbers.
_DEVICE = "cpu"

Dress = dict[str, Trace]


@dataclass(frozen=True)
class _Seen:
    """What one run has shown: wrong answers by test, and the tests that lacked a name."""

    dress: Dress
    lacking: set[str]


@dataclass(frozen=True)
class Recorder:
    """Runs mistakes under a lab's tests.

    Attributes:
        originals: the lab's right implementations and its catalogue.
        hidden: whether the hidden tests are run as well, or the public ones only.
        seed, hidden_seed: the seeds of the test run.
        right: the digests of what the solution returns, by test.
        random: keys of tests in which the solution answers differently from call to call.
        public_only: whether what the hidden tests show is left out.
        runs: what whole runs have shown, by what was run.
    """

    originals: Originals
    hidden: bool
    seed: int
    hidden_seed: int
    right: dict[str, list[Digest]]
    random: set[str]
    public_only: bool = False
    runs: dict[tuple[str, ...], _Seen] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        originals: Originals,
        *,
        hidden: bool,
        seed: int = 0,
        hidden_seed: int | None = None,
        exercises: Sequence[str] | None = None,
    ) -> Recorder:
        """A recorder, which runs the solution first: under all tests, or those of some exercises,
        whose mistakes it can then take."""
        files = _files(originals.lab, hidden=hidden)
        backend = LimitedBackend(originals.base)
        hidden_seed = seed if hidden_seed is None else hidden_seed
        outcomes = run_tests(
            files, lambda mark: backend, exercises=exercises, seed=seed, hidden_seed=hidden_seed,
            device=_DEVICE,
        )  # fmt: skip
        random = {key_of(outcome) for outcome in outcomes if answers_vary(outcome)}
        return cls(originals, hidden, seed, hidden_seed, digests(outcomes), random)

    def of_public(self) -> Recorder:
        """The same for the public tests alone, from the same runs: they come before the hidden
        ones, which cannot have changed what they saw."""
        random = {key for key in self.random if not is_hidden(key)}
        return replace(self, random=random, public_only=True)

    def exercise(self, exercise: str, *, pairs: bool, plain: bool = False) -> list[KnownMistake]:
        """The mistakes of one exercise: its own, those of functions that it calls, and pairs.

        Args:
            exercise: its name.
            pairs: whether pairs are made, too.
            plain: whether its own mistakes are made in the solution only, and no others: a sample.
        """
        own = [e for e in self.originals.misconceptions if e.exercise == exercise]
        single = _told_apart([self._single(entry, plain=plain) for entry in own])
        inherited = [] if plain else list(self._inherited(exercise))
        if not pairs:
            return [*single, *inherited]
        known = {entry.name: taken.dresses for entry, taken in zip(own, single, strict=True)}
        edits = [entry for entry in own if entry.rewrites and known[entry.name]]
        made = (self._pair(a, b, known) for a, b in combinations(edits, 2))
        return [*single, *inherited, *(pair for pair in made if pair is not None)]

    def book(self, exercises: Sequence[str], *, pairs: bool, plain: bool = False) -> TraceBook:
        """The book of some exercises; see :meth:`exercise`."""
        taken = {name: self.exercise(name, pairs=pairs, plain=plain) for name in exercises}
        return TraceBook(self.originals.lab.name, exercises=taken, random=self.random)

    def trace(
        self, namespace: Namespace, exercise: str, tests: Collection[str] | None = None
    ) -> Dress:
        """What definitions return in an exercise's tests, where it is not what is right.

        Args:
            namespace: the definitions.
            exercise: whose tests.
            tests: of them only these.
        """
        return self._told(self._run(namespace, exercise, tests).dress)

    def _told(self, dress: Dress) -> Dress:
        return {key: trace for key, trace in dress.items() if self._counts(key)}

    def _counts(self, key: str) -> bool:
        return not (self.public_only and is_hidden(key))

    def _run(
        self, namespace: Namespace, exercise: str, tests: Collection[str] | None = None
    ) -> _Seen:
        backend = LimitedBackend(namespace, _SECONDS)
        outcomes = run_tests(
            _files(self.originals.lab, hidden=self.hidden), lambda mark: backend,
            exercises=[exercise], tests=tests, seed=self.seed, hidden_seed=self.hidden_seed,
            device=_DEVICE,
        )  # fmt: skip
        lacking = {key_of(outcome) for outcome in outcomes if _lacks_a_name(outcome)}
        return _Seen(self.shown(outcomes), lacking)

    def _dress(
        self, original: Original, text: str, base: Namespace, of: str, exercise: str
    ) -> tuple[Dress, bool]:
        """What an edited text returns, and whether it asks for a name that there is not.

        Args:
            of: whose definitions the base is.
        """
        key = (exercise, original.name, text, of)
        if key not in self.runs:
            self.runs[key] = self._run(original.define(base, text), exercise)
        seen = self.runs[key]
        return self._told(seen.dress), any(self._counts(test) for test in seen.lacking)

    def shown(self, outcomes: Sequence[TestOutcome]) -> Dress:
        """The traces of outcomes that are not the solution's, without what is."""
        found: Dress = {}
        for outcome in outcomes:
            key = key_of(outcome)
            trace = _wrong(of_trace(outcome.trace), self.right[key])
            if any(trace):
                found[key] = trace
        return found

    def _single(self, entry: Entry, *, plain: bool) -> KnownMistake:
        found: list[Dress] = []
        dresses = islice(self._dresses(entry), 1 if plain else None)
        for number, (dress, lacks) in enumerate(dresses):
            # An edit's new text may need what a variant lacks, and is no dress of it then.
            if not dress or (number and lacks):
                continue
            if not any(equal_dresses(dress, known) for known in found):
                found.append(dress)
        return KnownMistake((entry.name,), entry.hint, dresses=tuple(found))

    def _dresses(self, entry: Entry) -> Iterator[tuple[Dress, bool]]:
        if entry.implementation is not None:
            yield self.trace(self.originals.with_entry(entry), entry.exercise), False
            return
        for original, text in self.originals.dresses(entry):
            yield self._dress(original, text, self.originals.base, "", entry.exercise)

    def _pair(
        self, first: Entry, second: Entry, known: dict[str, tuple[Dress, ...]]
    ) -> KnownMistake | None:
        """Two edits made together; None where they do not fit, or one hides the other."""
        a, b = known[first.name][0], known[second.name][0]
        made = next(self.originals.dresses(first, second), None)
        if made is None:
            return None
        original, text = made
        tests = {key.rpartition("/")[2] for key in a.keys() | b.keys()}
        namespace = original.define(self.originals.base, text)
        dress = self.trace(namespace, first.exercise, tests)
        if not dress or equal_dresses(dress, a) or equal_dresses(dress, b):
            return None
        naive = {**b, **a}
        # Where the pair is right and one alone is not, that is told by an empty trace.
        own = {
            key: dress.get(key, ())
            for key in sorted(naive.keys() | dress.keys())
            if not _same(dress.get(key, ()), naive.get(key, ()))
        }
        hint = joined([first.hint, second.hint])
        return KnownMistake((first.name, second.name), hint, dresses=(own,))

    def _inherited(self, exercise: str) -> Iterator[KnownMistake]:
        """Mistakes in other exercises' functions that a right implementation of this one calls."""
        for entry in self.originals.misconceptions:
            if entry.exercise == exercise:
                continue
            found: list[Dress] = []
            for original in self.originals.of(exercise):
                if not original.uses & self.originals.of(entry.exercise)[0].names:
                    continue
                wrong, of = self.originals.with_entry(entry), f"{entry.exercise}/{entry.name}"
                dress, _ = self._dress(original, original.text, wrong, of, exercise)
                if dress and not any(equal_dresses(dress, known) for known in found):
                    found.append(dress)
            if found:
                hint = f"If you call `{entry.exercise}` here, look there first. {entry.hint}"
                yield KnownMistake((entry.name,), hint, entry.exercise, tuple(found))


def record(lab: Lab, *, hidden: bool, pairs: bool = True, seed: int = 0) -> TraceBook:
    """Take the traces of a lab's mistakes, in this process.

    Args:
        lab: an instructor's folder.
        hidden: whether under the hidden tests as well (for grading) or the public ones only.
        pairs: whether pairs of mistakes are tried too; that takes minutes for a whole lab.
        seed: the seed of the test run; students' and graders' runs use 0.

    Raises:
        LabError: the solution notebook does not run, or the text of a mistake is not in it.
    """
    recorder = Recorder.of(Originals(lab), hidden=hidden, seed=seed)
    return recorder.book([exercise.name for exercise in lab.exercises], pairs=pairs)


def _told_apart(entries: list[KnownMistake]) -> list[KnownMistake]:
    """The mistakes without those dresses in which they are another one, plainly made."""
    return [
        replace(
            entry,
            dresses=entry.dresses[:1] + tuple(
                dress for dress in entry.dresses[1:]
                if not any(
                    equal_dresses(dress, other.dresses[0])
                    for other in entries if other is not entry and other.dresses
                )
            ),
        )
        for entry in entries
    ]  # fmt: skip


def _lacks_a_name(outcome: TestOutcome) -> bool:
    return any(one.raised.startswith("NameError") for one in outcome.trace)


def _files(lab: Lab, *, hidden: bool) -> list[Path]:
    return lab.test_files if hidden else [lab.test_public]


def _wrong(trace: Sequence[Digest], right: Sequence[Digest]) -> Trace:
    known = [*right, *([None] * len(trace))]
    return tuple(
        one if other is None else differing(one, other)
        for one, other in zip(trace, known, strict=False)
    )


def equal_dresses(first: Dress, second: Dress) -> bool:
    """Whether two dresses show in the same tests, and in the same way."""
    return first.keys() == second.keys() and all(
        _same(trace, second[key]) for key, trace in first.items()
    )


def _same(first: Trace, second: Trace) -> bool:
    return len(first) == len(second) and all(
        a is b if a is None or b is None else a.facets == b.facets and same(a, b, a.facets)
        for a, b in zip(first, second, strict=True)
    )
