"""What is declared of a feedback, for who writes it as a state machine: plain values, and no ``mlops.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mlops.ir.dataclass import dataclass
from mlops.ir.promoted import Promoted


@dataclass(frozen=True, slots=True)
class FeedbackMachine:
    """``called`` is the machine's name and ``arn`` its ARN, ``role`` what it takes on. ``watched`` is the alarm or the
    monitor. ``stages`` are what is done, in their order. ``parameters`` hold ``{since}``, ``{until}``, ``{captures}``
    and ``{reason}``, which are known when it begins. What it did lies in ``bucket`` at ``journal``; ``shifts`` is the
    journal of the endpoint's shifts there, where one is to be taken back. Who said nothing in it for ``lease`` is gone.
    ``topic`` of SNS tells people, and asks them. ``promoted`` is what is declared of the promotion. All in seconds."""

    name: str
    environment: str
    called: str
    arn: str
    role: str
    kind: Literal["alarm", "monitor"]
    watched: str
    stages: tuple[str, ...]
    pipeline: str
    parameters: Mapping[str, str]
    window: float
    cooldown: float
    per_day: int
    bucket: str
    journal: str
    lease: float
    endpoint: str | None = None
    shifts: str | None = None
    group: str | None = None
    topic: str | None = None
    promoted: Promoted | None = None
    enabled: bool = True
