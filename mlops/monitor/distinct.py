"""How many different texts there are, and how often each: exactly as long as they are few.

Beyond that only the smallest hashes are kept, and their spread tells the number within some two percent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from heapq import nsmallest

_MOST = 10_000
_KEPT = 2048
_HASHES = 1 << 64


class Distinct:
    def __init__(self) -> None:
        self._counts: Counter[str] | None = Counter()
        self._smallest: set[int] = set()

    def add(self, texts: Iterable[str]) -> None:
        counted = Counter(texts)
        if self._counts is not None:
            self._counts.update(counted)
            if len(self._counts) <= _MOST:
                return
            counted, self._counts = self._counts, None
        self._smallest = set(nsmallest(_KEPT, self._smallest | {_hash(text) for text in counted}))

    @property
    def count(self) -> int:
        if self._counts is not None:
            return len(self._counts)
        return round((_KEPT - 1) * _HASHES / max(self._smallest))

    @property
    def counts(self) -> dict[str, int] | None:
        """By text, in the order of their texts; None where they are too many."""
        return dict(sorted(self._counts.items())) if self._counts is not None else None


def _hash(text: str) -> int:
    """JSON may hold half a character."""
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
