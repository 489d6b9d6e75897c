"""The attacks that may be tried without a sandbox, against other graders: how many get anywhere.

``make attack-others``, that is ``python tests/attack_others.py OTTER_BIN``, grades them with
nbgrader as it comes (its own Execute, no configuration of ours) and with ``otter run``, on the same
three exercises with the same tests. Nothing there keeps student code from anything: only attacks
are tried that harm nobody. What student code has read counts as learnt.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from attacks import collection, others
from attacks.baits import Baits
from attacks.cases import Attack, Family
from attacks.machine import adopt_orphans
from attacks.others import LEFT, Elsewhere
from attacks.target import right, stub
from tiny import Notebook

HONEST = {"honest-right": (right, 8.0), "honest-stub": (stub, 0.0)}


def _honest(baits: Baits) -> dict[str, Notebook]:
    made = {}
    for name, (make, _) in HONEST.items():
        notebook = make()
        notebook["cells"][0]["source"] += f"\n\n{baits.word('others-work')}"
        made[name] = notebook
    return made


def _told(attack: Attack, came: Elsewhere) -> list[str]:
    gained = (came.score or 0.0) - attack.worth
    # A hidden input's price is not counted here: tests are scored in other shares.
    marks = [f"+{gained:g} marks"] if gained > 0 and attack.family is not Family.LEARN else []
    return [*marks, *came.secrets, *came.damage]


def report(
    attacks: list[Attack], graders: Mapping[str, tuple[list[Attack], dict[str, Elsewhere]]]
) -> None:
    """A line for each attack that got anywhere, and the counts side by side."""
    for attack in attacks:
        for grader, (tried, came) in graders.items():
            if attack in tried and (told := _told(attack, came[attack.name])):
                print(f"{attack.name:<22} {grader:<10} {attack.tries[:60]}: {'; '.join(told)}")
    print(f"\n{'':<34}" + "".join(f"{grader:>18}" for grader in graders))
    for what, family, counted in (
        ("marks forged", Family.FORGE, lambda a, c: (c.score or 0) > a.worth),
        ("secrets read", Family.LEARN, lambda a, c: bool(c.secrets)),
        ("active in pages", Family.WEAPON, lambda a, c: bool(c.damage)),
    ):
        cells = []
        for tried, came in graders.values():
            some = [attack for attack in tried if attack.family is family]
            count = sum(counted(attack, came[attack.name]) for attack in some)
            cells.append(f"{count} of {len(some)}" if some else "no pages")
        print(f"{what:<34}" + "".join(f"{cell:>18}" for cell in cells))
    cells = [
        str(sum(what.startswith(LEFT) for one in came.values() for what in one.damage))
        for _, came in graders.values()
    ]
    print(f"{'processes that live on':<34}" + "".join(f"{cell:>18}" for cell in cells))
    cells = [
        str(sum(came[name].score != right for name, (_, right) in HONEST.items()))
        for _, came in graders.values()
    ]
    print(f"{'honest notebooks with wrong marks':<34}" + "".join(f"{cell:>18}" for cell in cells))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("otter", type=Path, nargs="?", help="the bin folder of otter's environment")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    arguments = parser.parse_args()
    adopt_orphans()
    attacks = [attack for attack in collection() if attack.elsewhere]
    if arguments.only:
        attacks = [attack for attack in attacks if attack.name in arguments.only]
    # Otter makes no pages of students' outputs.
    without_pages = [attack for attack in attacks if attack.family is not Family.WEAPON]
    graders: dict[str, tuple[list[Attack], dict[str, Elsewhere]]] = {}
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        for grader, tried in (("nbgrader", attacks), ("otter", without_pages)):
            if grader == "otter" and arguments.otter is None:
                continue
            baits, at = Baits(), Path(folder) / grader
            at.mkdir()
            honest = _honest(baits)
            if grader == "nbgrader":
                label = f"nbgrader {metadata.version('nbgrader')}"
                graders[label] = tried, others.nbgrader(at, tried, honest, baits)
            else:
                programs = arguments.otter.absolute()
                graders["otter run"] = tried, others.otter(at, tried, honest, baits, programs)
    report(attacks, graders)
    return 0


if __name__ == "__main__":
    sys.exit(main())
