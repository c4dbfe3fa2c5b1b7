"""The SDK makes names unique by the time; composing counts instead, and this puts content in the place of the count.

A count alone would name the code of two pipelines alike, and of one pipeline before and after a change: the one would
be overwritten by the other, and the service's cache would serve results of code that is gone.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

STAMP = "2000-01-01-00-00-00-{:03d}"
"""In place of the SDK's time stamp, counted up."""

_COUNTED = re.compile(r"(?<!\d)(?:2000-01-01-\d\d-\d\d-\d\d(?:-\d{3})?|20000101\d{6}|94668\d{4})(?!\d)")
"""STAMP, what a date of that day is written as, and its seconds since 1970."""

_KEPT = 2
"""Digits at the beginning, so that a name still reads as one with a time."""


def by_content(
    pipelines: Iterable[str], definitions: Sequence[str], uploads: Mapping[tuple[str, str], str]
) -> tuple[list[str], dict[tuple[str, str], str]]:
    """The definitions and the uploads (bucket and key, to content) with every count replaced by digits of what lies
    below it, or, where nothing does, of the names of the ``pipelines``. Of the same length, and the same each time."""
    below: dict[str, list[tuple[str, str]]] = {}
    for (bucket, key), content in sorted(uploads.items()):
        for stamp in set(_COUNTED.findall(key)):
            below.setdefault(stamp, []).append((f"{bucket}/{_COUNTED.sub('*', key)}", content))
    stamps = sorted({*below, *(stamp for text in definitions for stamp in _COUNTED.findall(text))})
    names = sorted(pipelines)
    seen: Counter[str] = Counter()
    digits: dict[str, str] = {}
    for stamp in stamps:
        told = repr([names, below.get(stamp) or stamp])
        # Two steps of the same code are two, and so are the places that they write to.
        seen[told] += 1
        digits[stamp] = _filled(stamp, f"{told} {seen[told]}")

    def replaced(text: str) -> str:
        return _COUNTED.sub(lambda found: digits[found[0]], text)

    return [replaced(text) for text in definitions], {
        (bucket, replaced(key)): content for (bucket, key), content in uploads.items()
    }


def _filled(stamp: str, told: str) -> str:
    """
    >>> _filled("2000-01-01-00-00-00-001", "")[:3], len(_filled("20000101000005", "x"))
    ('209', 14)
    """
    rest = iter(f"{int(hashlib.sha256(told.encode()).hexdigest(), 16):080d}"[-40:])
    return stamp[:_KEPT] + "".join(next(rest) if letter.isdigit() else letter for letter in stamp[_KEPT:])
