"""How much a message holds, found before any of it is built.

A byte of msgpack may stand for an empty list, which takes Python 64 bytes, or announce a hundred
thousand of them. So the heads of all values are read first, without making a single object, and
a message that holds too many values, nests them too deep, or is no msgpack, goes no further.
"""

from __future__ import annotations

from typing import NamedTuple


class _Head(NamedTuple):
    """What the first byte of a value says.

    Attributes:
        within: values that follow in it.
        size: bytes of content after the head.
        width: bytes, after the first, that say the true count or size.
        each: how many values one of the count is, where ``width`` says it: two for a map.
    """

    within: int = 0
    size: int = 0
    width: int = 0
    each: int = 0


def _heads() -> list[_Head | None]:
    """By first byte; None for extension types and the one byte that msgpack never uses."""
    found: list[_Head | None] = [None] * 256
    for byte in (*range(0x80), 0xC0, 0xC2, 0xC3, *range(0xE0, 0x100)):
        found[byte] = _Head()
    for n in range(16):
        found[0x80 + n], found[0x90 + n] = _Head(2 * n), _Head(n)
    for n in range(32):
        found[0xA0 + n] = _Head(size=n)
    for first, widths in ((0xC4, (1, 2, 4)), (0xD9, (1, 2, 4))):
        for step, width in enumerate(widths):
            found[first + step] = _Head(width=width)
    for first, each in ((0xDC, 1), (0xDE, 2)):
        found[first], found[first + 1] = _Head(width=2, each=each), _Head(width=4, each=each)
    sizes = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
             0xD3: 8}  # fmt: skip
    for byte, size in sizes.items():
        found[byte] = _Head(size=size)
    return found


_HEADS = _heads()


def count_values(data: bytes | bytearray, most: int, deepest: int) -> int:
    """The number of values in a message, containers and keys included.

    Args:
        data: the message.
        most: how many there may be.
        deepest: how deep containers may be nested.

    Raises:
        ValueError: there are more, they are nested deeper, or the bytes are no whole message.
    """
    at, end, values = 0, len(data), 1
    open_: list[int] = []  # of every container that is open, how many of its values are to come
    left = 1
    while left or open_:
        if not left:
            left = open_.pop()
            continue
        left -= 1
        if at >= end:
            raise ValueError("it ends too early")
        head = _HEADS[data[at]]
        if head is None:
            raise ValueError("it holds a kind of value that is not of this format")
        count, size, width, each = head
        at += 1
        if width:
            if at + width > end:
                raise ValueError("it ends too early")
            size = int.from_bytes(data[at : at + width], "big")
            at += width
            if each:
                count, size = each * size, 0
        at += size
        if count:
            values += count
            if values > most:
                raise ValueError(f"it holds more than {most:,} values")
            if len(open_) >= deepest:
                raise ValueError("it is nested too deep")
            open_.append(left)
            left = count
    if at != end:
        raise ValueError("its length is not what it says")
    return values
