"""A metric that is no number any more: Debugger's ExplodingTensor, its ``only_nan``."""

from __future__ import annotations

import math

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch


@dataclass(frozen=True, slots=True)
class NotFinite:
    """``metric``, or any of the job, is nan or, unless ``only_nan``, infinite."""

    metric: str | None = None
    only_nan: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        return () if self.metric is None else (self.metric,)

    def wrong(self) -> str | None:
        return None

    def watch(self) -> Watch:
        def see(seen: Seen) -> str | None:
            if seen.metric is None or self.metric not in (None, seen.metric):
                return None
            if math.isnan(seen.value) or (math.isinf(seen.value) and not self.only_nan):
                return f"{seen.metric} is {seen.value:g}"
            return None

        return see


RULE = NotFinite
