"""What is known of a stream that this machine delivers."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """``waiting`` is in bytes; ``delivered`` and ``failed`` are records since the stream was made; ``trouble`` says why
    what waits is tried again, and is empty where nothing went wrong."""

    waiting: int
    delivered: int
    failed: int
    trouble: str
