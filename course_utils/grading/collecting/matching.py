"""Who is who: the people that a download names, and the students of the class.

A student number or an e-mail address decides, else the name, if one student has it and one person.
What is not certain is not guessed: the person keeps the system's own id, and a sentence says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from course_utils.grading.collecting.handed_in import Person, plain
from course_utils.grading.reading.naming import listed, shown
from course_utils.grading.roster import Student


def match(
    people: Sequence[Person], roster: Iterable[Student], settled: Mapping[str, str]
) -> tuple[dict[Person, str], list[str]]:
    """The student's id of everybody, and what is to be said of those who are not in the roster.

    Two entries with the same numbers and addresses are one person, who has handed in twice.

    Args:
        people: each once.
        roster: the class.
        settled: the student's id by the system's, where that is known already.
    """
    by_key, by_name = _indexed(roster)
    ids = {person: settled[person.id] for person in people if person.id in settled}
    keyed = {person: _of_keys(person, by_key) for person in people if person not in ids}
    certain = {student for found in keyed.values() if len(found) == 1 for student in found}
    certain |= set(ids.values())
    candidates = {
        person: found or by_name.get(plain(person.name), frozenset()) - certain
        for person, found in keyed.items()
    }
    rivals: defaultdict[frozenset[str], set[Person]] = defaultdict(set)
    for person, found in candidates.items():
        rivals[found].add(person)
    told = []
    for person, found in candidates.items():
        one = len({other.keys or (other.id,) for other in rivals[found]}) == 1
        if len(found) == 1 and one:
            ids[person] = next(iter(found))
            continue
        ids[person] = person.id
        if not found:
            why = "nobody else in the class has that name, number or address"
        elif len(found) > 1:
            why = f"could be any of {listed(sorted(found))}"
        else:
            others = sorted(other.id for other in rivals[found] if other is not person)
            why = f"{shown(next(iter(found)))} could be this one or {listed(others)}"
        told.append(f"{person.id} ({shown(person.name) or 'no name'}): {why}")
    return ids, told


_Index = dict[str, frozenset[str]]


def _indexed(roster: Iterable[Student]) -> tuple[_Index, _Index]:
    """Students' ids by what identifies them, and by their names."""
    by_key: _Index = {}
    by_name: _Index = {}
    for student in roster:
        first, last = plain(student.first_name), plain(student.last_name)
        for index, keys in (
            (by_key, {_key(student.id), _key(student.email)}),
            (by_name, {first + last, last + first}),
        ):
            for key in keys - {""}:
                index[key] = index.get(key, frozenset()) | {student.id}
    return by_key, by_name


def _of_keys(person: Person, by_key: _Index) -> frozenset[str]:
    """Students whose number or address the person has."""
    found = [by_key.get(_key(key), frozenset()) for key in (person.id, *person.keys)]
    return frozenset().union(*found)


def _key(key: str) -> str:
    return key.strip().casefold()
