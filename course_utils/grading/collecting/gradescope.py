"""Gradescope's "Export Submissions": a folder for each submission, and one file that says whose.

``assignment_789_export/submission_123/softmax_nll.ipynb``; beside the folders lies
``submission_metadata.yml``, which holds for ``submission_123`` its ``:submitters:`` (``:name:``,
``:sid:``, ``:email:``) and when it was ``:created_at:``. A group's submission names several, and
counts for each. Only the active submission is exported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from course_utils.grading.collecting.download import Member, UnreadableFile
from course_utils.grading.collecting.handed_in import Found, HandedIn, Person
from course_utils.grading.reading.naming import shown
from course_utils.ground.errors import DownloadError
from course_utils.ground.escaping import escaped

_METADATA = "submission_metadata.yml"


# The one in C where the machine has it: an export is long. yaml has no types.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain values only; of Ruby's objects what they are made of."""


def _made_of(loader: Any, _tag: str, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!ruby/", _made_of)


def read(members: Sequence[Member], notebook: str) -> Found:
    """What was handed in.

    Args:
        members: the download's files.
        notebook: the lab's; not needed here.

    Raises:
        DownloadError: the file that says whose submissions they are is missing or damaged.
    """
    described = [member for member in members if member.parts[-1] == _METADATA]
    if not described:
        raise DownloadError(
            f"the download holds no {_METADATA}, which says whose submissions they are: export "
            "them from Gradescope's Review Grades page, whole"
        )
    # A student's file of that name lies deeper.
    metadata = min(described, key=lambda member: len(member.parts))
    root = metadata.parts[:-1]
    entries, found = _parsed(metadata), Found()
    for member in members:
        inside = member.parts[len(root) :]
        if member is metadata or member.parts[: len(root)] != root or len(inside) < 2:
            continue
        entry = entries.get(inside[0])
        people = list(_people(inside[0], entry))
        if not people:
            found.remarks.append(
                f"{shown(member.name)} was left out: {_METADATA} does not say whose it is"
            )
        moment = _moment(entry)
        for person in people:
            order = moment.timestamp() if moment else 0.0
            found.files.append(HandedIn(person, inside[1:], member, order, moment))
    return found


def _parsed(metadata: Member) -> dict[str, Any]:
    try:
        entries = yaml.load(metadata.read(), Loader=_Loader)
    except (UnreadableFile, yaml.YAMLError, ValueError, RecursionError) as error:
        raise DownloadError(f"{_METADATA} cannot be read: {shown(str(error))}") from None
    if not isinstance(entries, dict):
        raise DownloadError(f"{_METADATA} lists no submissions")
    return entries


def _people(submission: str, entry: Any) -> Iterator[Person]:
    submitters = entry.get(":submitters") if isinstance(entry, dict) else None
    people = [one for one in submitters or () if isinstance(one, dict)]
    own = escaped(f"gradescope-{submission.removeprefix('submission_')}")
    for number, one in enumerate(people, 1):
        keys = tuple(str(one[key]).strip() for key in (":sid", ":email") if one.get(key))
        name = own if len(people) == 1 else f"{own}-{number}"
        yield Person(name, str(one.get(":name") or ""), keys)


def _moment(entry: Any) -> datetime | None:
    """When it was handed in; a date without a zone is in UTC."""
    made = entry.get(":created_at") if isinstance(entry, dict) else None
    if isinstance(made, dict):  # as Rails writes a time in a zone
        made = made.get("utc")
    if isinstance(made, str):
        try:
            made = datetime.fromisoformat(made)
        except ValueError:
            return None
    if not isinstance(made, datetime):
        return None
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
