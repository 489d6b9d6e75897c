"""A sample of the attacks by the real command, and whether the suite would see what it looks for.

``make attack`` runs all of them, and takes its time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from attacks import collection, evidence, weapon
from attacks.baits import Baits
from attacks.cases import Family
from attacks.target import HIDDEN_NUMBER
from tiny import REPOSITORY, cell

from course_utils.sandbox import launch

# Of every family, those that take no time.
SAMPLE = (
    "numpy-testing", "objects", "reply-score-message", "more-checks", "ndarray-subclass",
    "environment", "descriptors", "hidden-raises", "forged-missing", "kept-state",
    "end-kill-all", "flood-print", "call-garbage", "connect-tcp-host", "connect-abstract",
    "call-mount", "leaves-scratch", "terminal-clipboard", "fifo-other", "timestamp-words",
)  # fmt: skip


def test_the_collection_has_five_families_and_every_attack_a_name_of_its_own() -> None:
    attacks = collection()
    names = [attack.name for attack in attacks]
    assert len(names) == len(set(names)) >= 120
    families = Counter(attack.family for attack in attacks)
    assert families.keys() == set(Family) and min(families.values()) >= 20
    assert {attack.name for attack in attacks}.issuperset(SAMPLE)


@pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail)
@pytest.mark.timeout(900)
def test_a_sample_gets_nothing_and_costs_nothing() -> None:
    way = "root" if os.getuid() == 0 else "user"
    done = subprocess.run(
        [sys.executable, "tests/attack.py", "--way", way, "--only", *SAMPLE],
        cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "marks gained 0 · secrets learnt 0 · damage 0" in done.stdout


def _folder(root: Path, outputs: list[dict[str, object]]) -> Path:
    """A student's graded folder with one cell that shows this."""
    folder = root / "autograded" / "somebody"
    folder.mkdir(parents=True)
    shown = cell("") | {"outputs": outputs}
    (folder / "x.ipynb").write_text(json.dumps({"cells": [shown]}), "utf-8")
    return folder


def _printed(text: str) -> list[dict[str, object]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]


def test_a_secret_in_an_output_is_seen(tmp_path: Path) -> None:
    baits = Baits()
    folder = _folder(tmp_path, _printed(f"found: {baits.word('gradebook')}"))
    assert evidence.looked_at(folder, baits) == (["the secret of: gradebook"], [], [])


@pytest.mark.parametrize("form", ["{!r}", "{:.6g}", "{:.4e}", "{:,}", "{:.0f}"])
def test_a_hidden_input_is_seen_in_every_form(form: str) -> None:
    assert evidence.secrets_in(f"asked {form.format(HIDDEN_NUMBER)}, it said", Baits())
    assert not evidence.secrets_in("18191 of 28191.25, a819125, 0.8191", Baits())


def test_what_an_attack_says_that_it_has_done_is_seen(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _printed("ACHIEVED: wrote into /usr\n"))
    assert evidence.looked_at(folder, Baits())[2] == ["wrote into /usr"]


# A parser that is no browser sees less than there is in these.
_HARDER = {"script-broken", "href-entities", "style-sheet", "template", "comment", "onerror-slash"}


@pytest.mark.parametrize("name", sorted(set(weapon.HTML) - _HARDER))
def test_every_payload_of_html_is_seen_where_it_stands_as_it_was_written(name: str) -> None:
    assert evidence.active_in_html(f"<p>{weapon.HTML[name]}</p>")
    assert not evidence.active_in_html("<script>render()</script><p onclick='x()'>pwned</p>")


def test_pages_in_which_a_payload_is_only_text_are_inert() -> None:
    for text in weapon.HTML.values():
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        assert not evidence.active_in_html(f'<pre title="{escaped}">{escaped}</pre>')


def test_nan_in_a_notebook_and_large_files_are_seen(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [])
    (folder / "x.ipynb").write_text('{"cells": [], "x": NaN}')
    (folder / "large.html").write_bytes(b"x" * 2**25)
    damage = evidence.looked_at(folder, Baits())[1]
    assert len(damage) == 2 and "no JSON" in "".join(damage) and "32 MiB" in "".join(damage)


def test_what_commands_a_terminal_is_seen() -> None:
    assert evidence.commands_in("1/9 ada: 8/8\n✓ Größe\n") == []
    for text in weapon.TERMINAL.values():
        assert evidence.commands_in(f"1/9 {text}: 8/8\n")


def test_formulas_in_a_report_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("student,score\n=pwned,-1\n'=pwned,2\nada,x;=pwned\n", "utf-8")
    assert evidence.formulas_in(path) == ["=pwned", "x;=pwned"]
