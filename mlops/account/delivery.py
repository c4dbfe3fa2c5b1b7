"""What is known of a stream that this machine delivers."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """``waiting`` is in bytes; ``delivered`` and ``failed`` are records since the stream was made, ``dropped``
    those of the failed ones that lie nowhere; ``trouble`` says why what waits is tried again, and is empty where
    nothing went wrong."""

    waiting: int
    delivered: int
    failed: int
    trouble: str
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """What is put into a stream: so many records and bytes in so many ``seconds``, by so many requests. ``packed`` is
    the part that GZIP leaves of a sample."""

    records: int
    bytes: int
    seconds: float
    requests: int
    packed: float | None = None

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / max(self.seconds, 1.0)
