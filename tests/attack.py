"""Attacks among honest notebooks, graded by the real commands: what they got, what they cost.

``make attack``, that is ``python tests/attack.py``, grades all of them under bubblewrap, by root
(where it is root that calls), by an ordinary user, and by ``nbgrader autograde``. It prints a line
for each, and three totals that must be 0: marks gained, secrets learnt, damage. The exit code says
whether they are.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attacks import collection
from attacks.baits import Baits, laid
from attacks.cases import Attack, Family
from attacks.graded import Came, Run, Way, enter_secret, grade, hand_in
from attacks.machine import Machine, adopt_orphans
from attacks.target import MAX, write_course

# Where a process of the sandbox's judge is larger than this, something is not bounded.
_JUDGE_BYTES = 2 * 2**30


def run(way: Way, attacks: Sequence[Attack]) -> Run:
    """One class of its own, graded in one of the ways."""
    baits = Baits()
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        os.chmod(folder, 0o755)
        root = Path(folder) / "course"
        write_course(root, baits.word("hidden-tests"))
        honest = hand_in(root, attacks, baits)
        enter_secret(root, next(iter(honest)), baits)
        with laid(baits, Path(folder)) as environment:
            before = Machine.now()
            as_json = way is Way.USER
            made = grade(root, way, attacks, honest, baits, environment, as_json=as_json)
            made.damage += before.changes(Machine.now())
    if made.watched.judge_bytes > _JUDGE_BYTES:
        made.damage.append(f"a judge's process held {made.watched.judge_bytes / 2**30:.1f} GiB")
    return made


def marks_gained(attack: Attack, came: Came) -> float:
    """What a submission got beyond its honest part's worth."""
    return max(0.0, (came.score or 0.0) - attack.worth)


def harm_of(attack: Attack, came: Came) -> list[str]:
    """What a submission did that it must not be able to do."""
    found = list(came.damage)
    if attack.family is not Family.LEARN:
        found += came.achieved
    if came.score is None:
        found.append("no row")
    if came.status == "internal_error":
        found.append("an internal error")
    return found


def learnt(attack: Attack, came: Came) -> list[str]:
    """The secrets that reached the student."""
    return came.secrets + (came.achieved if attack.family is Family.LEARN else [])


def report(way: Way, attacks: Sequence[Attack], made: Run) -> tuple[float, int, int]:
    """Print a run; the three totals."""
    print(f"\n## {way}: {len(attacks)} attacks among {len(made.honest)} honest notebooks\n")
    print(f"{'attack':<28}{'got':>6} {'worth':>5} {'s':>6}  what it tried; what it did")
    marks, secrets, damage = 0.0, 0, 0
    for attack in attacks:
        for student in attack.students():
            came = made.came[student]
            gained, told = marks_gained(attack, came), learnt(attack, came)
            done = harm_of(attack, came)
            marks, secrets, damage = marks + gained, secrets + len(told), damage + len(done)
            got = "–" if came.score is None else f"{came.score:g}"
            words = [*([f"+{gained:g} marks"] if gained else []), *told, *done]
            shown = _escaped("; ".join(words))
            name = attack.name if len(attack.students()) == 1 else student
            print(f"{name:<28}{got:>6} {attack.worth:>5g} {came.seconds:>6.1f}  {attack.tries}"
                  + (f"\n{'':<8}⚠ {shown}" if words else ""))  # fmt: skip
    wrong = {
        student: made.came[student].score for student, right in made.honest.items()
        if made.came[student].score != right
    }  # fmt: skip
    for student, score in wrong.items():
        print(f"⚠ {student} has {score} and should have {made.honest[student]:g}")
    for what in made.damage:
        print(f"⚠ {_escaped(what)}")
    damage += len(wrong) + len(made.damage)
    _cost(made)
    print(f"marks gained {marks:g} · secrets learnt {secrets} · damage {damage}")
    return marks, secrets, damage


def _escaped(text: str) -> str:
    """Text in which nothing that an attack has chosen commands a terminal."""
    return text.encode("unicode_escape").decode()


def _cost(made: Run) -> None:
    """What the attacks cost their neighbours and the machine."""
    times = [made.came[student].seconds for student in made.honest]
    seen = made.watched
    print(
        f"\nhonest notebooks: {len(made.honest)}, of {MAX:g} points each; "
        f"{statistics.median(times):.2f} s in the middle, {max(times):.2f} s at most\n"
        f"the run: {made.seconds:.0f} s; at most {seen.processes} processes of students' at once, "
        f"{seen.judge_bytes / 2**20:.0f} MiB in one process of the judge's, "
        f"{seen.used_bytes / 2**20:.0f} MiB of the machine's memory"
    )


def chosen(arguments: argparse.Namespace) -> list[Attack]:
    attacks = collection()
    if arguments.family:
        attacks = [attack for attack in attacks if attack.family in arguments.family]
    if arguments.only:
        known = {attack.name for attack in attacks}
        unknown = sorted(set(arguments.only) - known)
        if unknown:
            sys.exit(f"there is no attack {', '.join(unknown)}; --list shows all")
        attacks = [attack for attack in attacks if attack.name in arguments.only]
    return attacks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these attacks")
    parser.add_argument("--family", nargs="+", choices=list(Family), help="only these families")
    parser.add_argument("--way", nargs="+", choices=[way.name.lower() for way in Way])
    parser.add_argument("--list", action="store_true", help="what is tried, and nothing is run")
    arguments = parser.parse_args()
    attacks = chosen(arguments)
    if arguments.list:
        for attack in attacks:
            print(f"{attack.family:<8}{attack.name:<28}{attack.tries}")
        print(f"{len(attacks)} attacks")
        return 0
    ways = [way for way in Way if not arguments.way or way.name.lower() in arguments.way]
    if os.getuid() != 0 and Way.ROOT in ways:
        ways.remove(Way.ROOT)
        print("not root: the run by root is left out")
    adopt_orphans()
    totals = [report(way, attacks, run(way, attacks)) for way in ways]
    marks, secrets, damage = (sum(column) for column in zip(*totals, strict=True))
    print(f"\nall ways: marks gained {marks:g} · secrets learnt {secrets} · damage {damage}")
    return int(bool(marks or secrets or damage))


if __name__ == "__main__":
    sys.exit(main())
