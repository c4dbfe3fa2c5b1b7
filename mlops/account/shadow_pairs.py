"""One request that a shadow variant answered beside the variant whose answer the caller got."""

from __future__ import annotations

from typing import NamedTuple


class ShadowPair(NamedTuple):
    """``event_id`` is that of the captured lines. ``same``: the answers say the same, whatever their spelling;
    ``distance`` is the largest between two numbers of them, None where the answers are not built alike or have no
    numbers. What was asked and answered is there as far as the configuration asks for it to be captured and it is short
    text."""

    time: float
    config: str
    variant: str
    shadow: str
    event_id: str
    inference_id: str | None
    status: int
    shadow_status: int
    microseconds: int
    shadow_microseconds: int
    same: bool
    distance: float | None
    input: str | None = None
    answer: str | None = None
    shadow_answer: str | None = None
    attributes: str | None = None
    """Custom attributes of the request, where what was asked is kept."""


class NewPairs(NamedTuple):
    """``lost`` requests are not known: the shadow was too slow for them, or they found no room. ``after`` is given to
    whoever asks for what came since."""

    pairs: tuple[ShadowPair, ...]
    lost: int
    after: object
