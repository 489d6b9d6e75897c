"""Whose code is so alike that a person may want to look at it; what it means, nobody says here.

Each student's code is a set of fingerprints, without what the lab has given. A fingerprint weighs
the more, the fewer have it: the one obvious way of writing something says nothing about two who
both write it. The likeness of two students is the weight that they share, over the mean of what
each has. For all pairs at once that is the product of a sparse matrix with its transpose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from course_utils.grading.insight.fingerprints import Checksums

ALIKE = 0.8
# In nats: a dozen fingerprints that one in ten has. Less could be chance, and short exercises are.
_WEIGHT = 30.0
_MUCH = 50  # fingerprints: some three hundred tokens

# Exercise, or "" for code of the student's own cells → fingerprints.
Code = Mapping[str, Checksums]
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Alike:
    """Students, each of whom has code much like every other's among them.

    Attributes:
        low, high: the likeness of its pairs, from 0 to 1.
        where: the exercises in which the code of the most alike pair is nearly the same.
        apart: in how many exercises it is not.
    """

    students: tuple[str, ...]
    low: float
    high: float
    where: tuple[str, ...]
    apart: int


def alike(codes: Mapping[str, Code]) -> list[Alike]:
    """The groups, those that are most alike first.

    Args:
        codes: student → code.
    """
    students = list(codes)
    likeness = _likeness([_all(codes[student]) for student in students])
    np.fill_diagonal(likeness, 0.0)
    near = np.flatnonzero(likeness.max(axis=1, initial=0.0) >= ALIKE)
    groups = _grouped(likeness[np.ix_(near, near)])
    found = [_described(students, codes, likeness, near[group]) for group in groups]
    return sorted(found, key=lambda one: (-one.high, -len(one.students), one.students))


def _all(code: Code) -> Checksums:
    parts = list(code.values())
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def _likeness(rows: Sequence[Checksums]) -> Shares:
    """The likeness of all with all; 0 where what they share is too little to say anything."""
    if not any(map(len, rows)):
        return np.zeros((len(rows), len(rows)))
    shared = _shared(rows)
    own = shared.diagonal()
    mean = np.add.outer(own, own) / 2
    found = np.divide(shared, mean, out=np.zeros_like(shared), where=mean > 0)
    found[shared < _WEIGHT] = 0.0
    for group in _same(rows):  # however many others have it, too
        found[np.ix_(group, group)] = 1.0
    return np.minimum(found, 1.0)


def _shared(rows: Sequence[Checksums]) -> Shares:
    """The weight that all share with all: a row a student and a column a fingerprint, times its
    transpose."""
    _, columns, held_by = np.unique(
        np.concatenate(rows), return_inverse=True, return_counts=True
    )
    weights = np.sqrt(np.log((len(rows) + 1) / held_by))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    shape = (len(rows), len(held_by))
    matrix = sparse.csr_matrix((weights[columns], columns, starts), shape=shape)
    found: Shares = (matrix @ matrix.T).toarray()
    return found


def _same(rows: Sequence[Checksums]) -> list[list[int]]:
    """Those with the very same code, and much of it."""
    found: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        if len(row) >= _MUCH:
            found.setdefault(row.tobytes(), []).append(number)
    return [group for group in found.values() if len(group) > 1]


def _grouped(likeness: Shares) -> list[list[int]]:
    """Groups in which everybody is like everybody else (complete linkage); and whoever is like
    somebody, and in no such group, with the one who is most alike."""
    if len(likeness) < 2:
        return []
    distances = squareform(1.0 - likeness, checks=False)  # of all pairs, each once
    labels = fcluster(linkage(distances, "complete"), 1.0 - ALIKE, "distance")
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    whole = [group for group in groups if len(group) > 1]
    alone = [group[0] for group in groups if len(group) == 1]
    return whole + [sorted([one, int(likeness[one].argmax())]) for one in alone]


def _described(
    students: Sequence[str], codes: Mapping[str, Code], likeness: Shares, group: NDArray[np.int64]
) -> Alike:
    shares = likeness[np.ix_(group, group)]
    first, second = np.unravel_index(int(shares.argmax()), shares.shape)
    where, apart = _compared(codes[students[group[first]]], codes[students[group[second]]])
    pairs = shares[np.triu_indices(len(group), 1)]
    names = tuple(students[number] for number in group)
    return Alike(names, float(pairs.min()), float(pairs.max()), where, apart)


def _compared(one: Code, other: Code) -> tuple[tuple[str, ...], int]:
    """The exercises in which two have nearly the same code, and how many others both wrote."""
    where, apart = [], 0
    for exercise in one:
        mine, yours = one[exercise], other.get(exercise, one[exercise][:0])
        if not exercise or not len(mine) or not len(yours):
            continue
        same = 2 * len(np.intersect1d(mine, yours)) / (len(mine) + len(yours))
        if same >= ALIKE:
            where.append(exercise)
        else:
            apart += 1
    return tuple(where), apart
