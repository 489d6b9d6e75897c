"""All of a lab's files as text: no JSON, no Python, names that lead nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from course_utils.gate.finding import Finding
from course_utils.gate.sources.entries import read_entries
from course_utils.gate.sources.fatal import broken, no_python
from course_utils.gate.sources.notebook import read_notebook
from course_utils.gate.sources.tests import read_tests
from course_utils.ground.lab import Lab


def read(lab: Lab) -> list[Finding]:
    """What is wrong with a lab's files as text: no JSON, no Python, names that lead nowhere."""
    found = list(read_notebook(lab))
    trees: dict[Path, ast.Module] = {}
    for path in (*lab.test_files, lab.misconceptions_path, lab.variants_path):
        if path == lab.test_public or path.exists():
            found += _parsed(lab, path, trees)
    if not any(finding.fatal for finding in found):
        known = [exercise.name for exercise in lab.exercises]
        for path, tree in trees.items():
            found += read_tests(lab, path, tree, trees.get(lab.test_public), known)
            found += read_entries(lab, path, tree, known)
    return found


def asked(lab: Lab, exercises: Sequence[str]) -> list[Finding]:
    """Exercises that were asked for and that the lab does not have."""
    known = [exercise.name for exercise in lab.exercises]
    return [
        broken(lab.name, f"there is no exercise {name}; there are {', '.join(known)}")
        for name in exercises if name not in known
    ]  # fmt: skip


def _parsed(lab: Lab, path: Path, trees: dict[Path, ast.Module]) -> Iterator[Finding]:
    """Why a file is no Python; one that is, is put among the trees."""
    name = str(path.relative_to(lab.folder))
    try:
        text = path.read_text("utf-8")
        compile(text, name, "exec", dont_inherit=True)
        trees[path] = ast.parse(text)
    except FileNotFoundError:
        yield broken(name, "there is no such file: it holds Reference and the public tests")
    except UnicodeDecodeError:
        yield broken(name, "the file is not in UTF-8: save it again in that encoding")
    except (SyntaxError, ValueError) as error:
        yield broken(*no_python(name, error))
