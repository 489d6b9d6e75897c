"""Where the time goes, told by phases."""

from __future__ import annotations

import threading

import pytest

from course_utils.ground.phases import Watch, phase, watch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr("course_utils.ground.phases.time.perf_counter", lambda: now[0])
    return now


def test_each_moment_is_counted_once(clock: list[float]) -> None:
    with watch() as seen:
        clock[0] = 1.0  # before any phase: nobody's
        with phase("outer"):
            clock[0] = 3.0
            with phase("inner"):
                clock[0] = 7.0
            with phase("inner"):
                clock[0] = 8.0
            clock[0] = 8.5
        clock[0] = 20.0
    assert seen.seconds == {"outer": 2.5, "inner": 5.0}


def test_a_phase_that_ends_in_an_exception_has_ended(clock: list[float]) -> None:
    with watch() as seen:
        with pytest.raises(KeyError):
            _fail(clock)
        with phase("goes on"):
            clock[0] = 3.0
    assert seen.seconds == {"fails": 2.0, "goes on": 1.0}


def _fail(clock: list[float]) -> None:
    with phase("fails"):
        clock[0] = 2.0
        raise KeyError


def test_nobody_watches(clock: list[float]) -> None:
    with phase("unseen"):
        clock[0] = 1.0
    with watch() as seen:
        thread = threading.Thread(target=_elsewhere)
        thread.start()
        thread.join()
    assert not seen.seconds


def _elsewhere() -> None:
    with phase("another thread's"):
        pass


def test_watches_add_up() -> None:
    both = Watch()
    both.add({"a": 1.0})
    both.add({"a": 2.0, "b": 3.0})
    assert both.seconds == {"a": 3.0, "b": 3.0}
