"""Responses that no dispatcher gives, as a student's process may send them: Python, by name."""

from __future__ import annotations

RESPONSES: dict[str, str] = {
    "no dict": "[1]",
    "nothing": "{}",
    "two ends": "{'value': 1, 'modified': [], 'seconds': 0.0, 'missing': 'f'}",
    "modified is a number": "{'value': 1, 'modified': 5, 'seconds': 0.0}",
    "modified is a text": "{'value': 1, 'modified': 'x', 'seconds': 0.0}",
    "an argument that is none": "{'value': 1, 'modified': [7], 'seconds': 0.0}",
    "modified True": "{'value': 1, 'modified': [True], 'seconds': 0.0}",
    "seconds NaN": "{'value': 1, 'modified': [], 'seconds': float('nan')}",
    "seconds infinite": "{'value': 1, 'modified': [], 'seconds': float('inf')}",
    "seconds a list": "{'value': 1, 'modified': [], 'seconds': [1.0]}",
    "seconds negative": "{'value': 1, 'modified': [], 'seconds': -1.0}",
    "no seconds": "{'value': 1, 'modified': []}",
    "forbidden a dict": "{'value': 1, 'modified': [], 'seconds': 0.0, 'forbidden': {'call': 'x'}}",
    "notes of the wrong form": "{'missing': 'f', 'forbidden': [{'call': 1, 'by': []}]}",
    "many notes": "{'missing': 'f', 'forbidden': [{'call': 'c', 'by': []}] * 21}",
    "raised a list": "{'raised': []}",
    "raised half": "{'raised': {'type': 'ValueError', 'message': 'x'}}",
    "raised a number": "{'raised': {'type': 1, 'message': 'x', 'line': '', 'in_probe': False, "
    "'stopped': False, 'gave_none': []}}",
    "raised at length": "{'raised': {'type': 'E', 'message': 'x' * 5000, 'line': '', "
    "'in_probe': False, 'stopped': False, 'gave_none': []}}",
    "raised by a word": "{'raised': {'type': 'E', 'message': 'x', 'line': '', 'in_probe': 1, "
    "'stopped': False, 'gave_none': []}}",
    "gave None": "{'raised': {'type': 'E', 'message': 'x', 'line': '', 'in_probe': True, "
    "'stopped': False, 'gave_none': 3}}",
    "missing a list": "{'missing': ['f']}",
    "memory a text": "{'memory': 'lots'}",
    "memory an array": "{'memory': __import__('numpy').ones(3)}",
    "no timeout": "{'timeout': False}",
    "unsendable a dict": "{'unsendable': {}}",
    "more than there is": "{'value': 1, 'modified': [], 'seconds': 0.0, 'score': 100}",
}  # fmt: skip
