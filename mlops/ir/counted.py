"""How many of something, in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """
    >>> [counted(number, "image") for number in (0, 1, 2)]
    ['0 images', '1 image', '2 images']
    >>> counted(3, "entry")
    '3 entries'
    """
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else many}"
