"""Whether a model's answer is what a label says was right."""

from __future__ import annotations

import json
import math


def is_wrong(answer: str | None, label: str, threshold: float) -> bool | None:
    """None where that cannot be said. A score from ``threshold`` on is the label 1."""
    if is_not_finite(label):
        # Somebody's program writes so of what it does not know.
        return None
    said = None if answer is None else single(answer)
    if said is None:
        return None
    value, wanted = number(said), number(label)
    if value is None or wanted is None:
        return said != label
    if wanted in (0, 1) and 0 <= value <= 1:
        return (value >= threshold) != bool(wanted)
    return value != wanted


def single(answer: str) -> str | None:
    """The one value of an answer.

    >>> single('{"predictions": [{"score": 0.5}]}'), single("cat\\n"), single("1,2")
    ('0.5', 'cat', None)
    """
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        text = answer.strip()
        return None if not text or "," in text or "\n" in text else text
    while isinstance(value, dict | list):
        inside = list(value.values()) if isinstance(value, dict) else value
        if len(inside) != 1:
            return None
        value = inside[0]
    return None if value is None else str(int(value) if isinstance(value, bool) else value)


def is_not_finite(text: str) -> bool:
    """
    >>> is_not_finite(" NaN"), is_not_finite("-inf"), is_not_finite("1.5"), is_not_finite("cat")
    (True, True, False, False)
    """
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


def number(text: str) -> float | None:
    """A finite one."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
