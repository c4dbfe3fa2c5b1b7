"""A sum of money that is not known exactly."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """It costs at least ``lower`` and at most ``upper``; None where nobody knows. ``unknown`` says what is missing:
    ``lower`` is then of the rest, and still right."""

    lower: float | None
    expected: float | None
    upper: float | None
    unknown: tuple[str, ...] = ()

    def times(self, least: float, most: float) -> Bounds:
        """So many of it; how many are to be expected is known where both are the same."""
        return Bounds(
            None if self.lower is None else self.lower * least,
            None if self.expected is None or least != most else self.expected * least,
            None if self.upper is None else self.upper * most,
            self.unknown,
        )


NOTHING = Bounds(0.0, 0.0, 0.0)


def money(amount: float) -> str:
    """
    >>> money(1234.5), money(0.0), money(0.00257)
    ('1,234.50', '0.00', '0.002570')
    """
    return f"{amount:,.2f}" if amount == 0 or amount >= 0.1 else f"{amount:.6f}"


def unknown(why: str) -> Bounds:
    return Bounds(None, None, None, (why,))


def at_least(why: str) -> Bounds:
    """It may cost nothing, and nobody knows what it costs at most."""
    return Bounds(0.0, None, None, (why,))


def together(parts: Iterable[Bounds]) -> Bounds:
    """All of them.

    >>> together([Bounds(1.0, 2.0, 3.0), unknown("no price")])
    Bounds(lower=1.0, expected=None, upper=None, unknown=('no price',))
    """
    listed = list(parts)
    known = [part.lower for part in listed if part.lower is not None]
    expected = [part.expected for part in listed if part.expected is not None]
    upper = [part.upper for part in listed if part.upper is not None]
    return Bounds(
        sum(known) if known or not listed else None,
        sum(expected) if len(expected) == len(listed) else None,
        sum(upper) if len(upper) == len(listed) else None,
        _reasons(listed),
    )


def one_of(parts: Iterable[Bounds]) -> Bounds:
    """One of them, and nobody knows which."""
    listed = list(parts)
    lower = [part.lower for part in listed if part.lower is not None]
    upper = [part.upper for part in listed if part.upper is not None]
    same = {part.expected for part in listed}
    return Bounds(
        min(lower) if len(lower) == len(listed) else None,
        same.pop() if len(same) == 1 else None,
        max(upper) if len(upper) == len(listed) else None,
        _reasons(listed),
    )


def _reasons(parts: Iterable[Bounds]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(why for part in parts for why in part.unknown))
