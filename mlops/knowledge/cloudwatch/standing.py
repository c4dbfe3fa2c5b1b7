"""How an alarm stands, of the values of its last periods.

By the guide's "Configuring how CloudWatch alarms treat missing data", whose two tables are the rows of its test. What
it leaves open is decided so: the evaluation range, which it shows to be five for three periods, is two periods longer
than what is judged; and values that are too few and too young to decide ("avoiding premature transitions") leave the
state as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

Standing: TypeAlias = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
BEYOND = 2
"""Periods of the evaluation range beyond those that are evaluated."""


def standing(breaches: Sequence[bool | None], periods: int, needed: int, missing: str, before: Standing) -> Standing:
    """``breaches`` are those of the evaluation range, oldest first, None for a period without a value. ``needed`` of
    the last ``periods`` make an alarm.

    >>> standing([None, None, True, None, None], 3, 3, "missing", "OK")
    'ALARM'
    """
    real = [(age, breach) for age, breach in enumerate(reversed(breaches), 1) if breach is not None]
    if len(real) >= periods:
        return "ALARM" if sum(breach for _, breach in real[:periods]) >= needed else "OK"
    breaching, filled = sum(breach for _, breach in real), periods - len(real)
    if breaching >= needed:
        return "ALARM"
    match missing:
        case "breaching":
            return "ALARM" if breaching + filled >= needed else "OK"
        case "notBreaching":
            return "OK"
    if not real:
        return before if missing == "ignore" else "INSUFFICIENT_DATA"
    if breaching < len(real):
        return "OK"
    oldest = real[-1][0]
    return "ALARM" if missing != "ignore" and oldest >= needed else before
