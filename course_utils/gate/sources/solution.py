"""The solution run once under all tests, without which nothing else can be said of a lab."""

from __future__ import annotations

from course_utils.gate.finding import Finding
from course_utils.gate.sources.crashes import explained
from course_utils.gate.sources.loading import imported
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.verdict.outcome import TestOutcome


def run_solution(lab: Lab) -> tuple[Workbench | None, list[TestOutcome], list[Finding]]:
    """A lab's workbench, the outcomes of all tests on its solution, and what went wrong.

    There is no workbench where its files cannot be imported, or the run has ended early.
    """
    findings = imported(lab)
    if any(finding.fatal for finding in findings):
        return None, [], findings
    try:
        bench = workbench_of(lab.folder)
        return bench, bench.run(), findings
    except (LabError, ValueError) as error:
        return None, [], [*findings, *explained(lab, error)]
