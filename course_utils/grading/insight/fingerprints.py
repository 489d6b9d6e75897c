"""Fingerprints of a row of tokens, by winnowing.

S. Schleimer, D. S. Wilkerson, A. Aiken: Winnowing: Local Algorithms for Document Fingerprinting,
Proceedings of SIGMOD 2003, pp. 76 to 85, https://doi.org/10.1145/872757.872770. Every K tokens in a
row have a checksum, and of every W neighbouring checksums the smallest is a fingerprint. So two
texts that share K + W − 1 tokens in a row share a fingerprint, whatever stands around them, and
what is shorter than K is never one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

K, W = 10, 8

Checksums = NDArray[np.uint64]

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd and large; arithmetic is modulo 2⁶⁴
_NONE = np.zeros(0, np.uint64)


def checksums(tokens: Sequence[str]) -> Checksums:
    """The checksum of every K tokens in a row."""
    if len(tokens) < K:
        return _NONE
    words = np.fromiter((zlib.crc32(t.encode("utf-8", "replace")) for t in tokens), np.uint64)
    powers = np.cumprod(np.full(K, _BASE), dtype=np.uint64)
    rows = np.lib.stride_tricks.sliding_window_view(words, K)
    # Mixed once more: else the order of checksums would be that of their first words.
    mixed = (rows * powers).sum(axis=1, dtype=np.uint64)
    mixed ^= mixed >> np.uint64(29)
    result: Checksums = mixed * _BASE
    return result


def winnowed(sums: Checksums) -> Checksums:
    """The smallest of every W neighbouring checksums, each once."""
    if len(sums) <= W:
        return np.unique(sums.min(keepdims=True)) if len(sums) else _NONE
    windows = np.lib.stride_tricks.sliding_window_view(sums, W)
    found: Checksums = np.unique(windows.min(axis=1))
    return found
