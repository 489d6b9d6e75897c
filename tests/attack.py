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

from attacks import collection, real_lab
from attacks.baits import Baits, laid
from attacks.cases import Attack, Family
from attacks.graded import Came, Class, Run, Way, enter_secret, grade, hand_in
from attacks.machine import Machine, adopt_orphans
from attacks.target import write_course

from course_utils.grading.submissions import student_id
from course_utils.sandbox.limits import Limits

# Where a process of the sandbox's judge is larger than this, something is not bounded.
_JUDGE_BYTES = 2 * 2**30
# A submission's deadline, and as long again as a judge may need to notice on a busy machine.
_SUBMISSION_SECONDS = Limits().submission_seconds + 30.0


def run(way: Way, attacks: Sequence[Attack], *, real: bool = False) -> tuple[Class, Run]:
    """One class of its own, graded in one of the ways.

    Args:
        real: in a lab that students have, and not in the one that is made for this.
    """
    baits = Baits()
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        os.chmod(folder, 0o755)
        root = Path(folder) / "course"
        if real:
            handed = real_lab.write_class(root, attacks, baits)
        else:
            write_course(root, baits.word("hidden-tests"))
            handed = hand_in(root, attacks, baits)
        enter_secret(root, next(iter(handed.honest)), baits)
        with laid(baits, Path(folder)) as environment:
            before = Machine.now()
            as_json = way is Way.USER
            made = grade(root, way, handed, baits, environment, as_json=as_json)
            made.damage += before.changes(Machine.now())
    if made.watched.judge_bytes > _JUDGE_BYTES:
        made.damage.append(f"a judge's process held {made.watched.judge_bytes / 2**30:.1f} GiB")
    return handed, made


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
    if came.seconds > _SUBMISSION_SECONDS:
        found.append(f"{came.seconds:.0f} s, past the submission's deadline")
    return found


def learnt(attack: Attack, came: Came) -> list[str]:
    """The secrets that reached the student."""
    return came.secrets + (came.achieved if attack.family is Family.LEARN else [])


def report(way: Way, handed: Class, made: Run) -> tuple[float, int, int]:
    """Print a run; the three totals."""
    count = len({attack.name for attack in handed.hostile.values()})
    print(f"\n## {handed.lab}, {way}: {count} attacks, {len(handed.honest)} honest notebooks\n")
    print(f"{'attack':<26}{'got':>5} {'worth':>5} {'s':>6}  {'reason':<20}what it tried, and did")
    marks, secrets, damage = 0.0, 0, 0
    for student, attack in handed.hostile.items():
        came = made.came[student]
        gained, told = marks_gained(attack, came), learnt(attack, came)
        done = harm_of(attack, came)
        marks, secrets, damage = marks + gained, secrets + len(told), damage + len(done)
        got = "–" if came.score is None else f"{came.score:g}"
        words = [*([f"+{gained:g} marks"] if gained else []), *told, *done]
        name = attack.name if attack.copies == 1 else student
        print(
            f"{name:<26}{got:>5} {attack.worth:>5g} {came.seconds:>6.1f}  {came.reason:<20}"
            f"{_escaped(attack.tries)}"
        )
        if words:
            print(f"{'':<8}⚠ {_escaped('; '.join(words))}")
    wrong = {
        student: made.came[student].score for student, right in handed.honest.items()
        if made.came[student].score != right
    }  # fmt: skip
    for student, score in wrong.items():
        print(f"⚠ {student} has {score} and should have {handed.honest[student]:g}")
    for what in made.damage:
        print(f"⚠ {_escaped(what)}")
    damage += len(wrong) + len(made.damage)
    _cost(handed, made)
    print(f"marks gained {marks:g} · secrets learnt {secrets} · damage {damage}")
    return marks, secrets, damage


def _escaped(text: str) -> str:
    """Text in which nothing that an attack has chosen commands a terminal."""
    return text.encode("unicode_escape").decode()


def _cost(handed: Class, made: Run) -> None:
    """What the attacks cost their neighbours and the machine."""
    times = [made.came[student].seconds for student in handed.honest]
    seen = made.watched
    print(
        f"\n{len(handed.honest)} honest notebooks: {statistics.median(times):.2f} s in the "
        f"middle, {max(times):.2f} s at most\n"
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


def _possible(way: Way, attacks: Sequence[Attack]) -> list[Attack]:
    """The attacks that a way takes: nbgrader grades nobody whose name holds what is no text."""
    if way is not Way.NBGRADER:
        return list(attacks)
    return [a for a in attacks if all(name == student_id(name) for name in a.students())]


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
    totals = [report(way, *run(way, _possible(way, attacks))) for way in ways]
    inside = [attack for attack in attacks if attack.name in real_lab.TRIED]
    if inside and ways[0] is not Way.NBGRADER:
        totals.append(report(ways[0], *run(ways[0], inside, real=True)))
    marks, secrets, damage = (sum(column) for column in zip(*totals, strict=True))
    print(f"\nall ways: marks gained {marks:g} · secrets learnt {secrets} · damage {damage}")
    return int(bool(marks or secrets or damage))


if __name__ == "__main__":
    sys.exit(main())
