"""A training that says nothing: Debugger's StalledTrainingRule, its ``threshold``."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Stalled:
    """No value of ``metric``, or of any of the job, came for ``seconds``."""

    metric: str | None = None
    seconds: float = 1800.0

    @property
    def metrics(self) -> tuple[str, ...]:
        return () if self.metric is None else (self.metric,)

    def wrong(self) -> str | None:
        return below("seconds", self.seconds, 0.1)

    def watch(self) -> Watch:
        latest = 0.0

        def see(seen: Seen) -> str | None:
            nonlocal latest
            if seen.metric is not None and self.metric in (None, seen.metric):
                latest = seen.at
            if seen.metric is not None or seen.at - latest < self.seconds:
                return None
            return f"no value of {self.metric or 'any metric'} for {seen.at - latest:.0f} s"

        return see


RULE = Stalled
