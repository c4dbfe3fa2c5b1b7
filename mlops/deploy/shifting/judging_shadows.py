"""Looks at the shadow of a shift that has not begun: reads what it answered since the last look, keeps the counts, and
decides by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops.account import Here
from mlops.deploy.shifting.mirroring import Mirroring, ShadowSamples, Tally, with_look
from mlops.deploy.shifting.samples import Samples
from mlops.deploy.shifting.verdict import Verdict

_LISTED = 5


class ByPairs:
    """``declared`` is the table as it is written; ``config`` is the endpoint configuration with the shadow, which is
    called ``variant``."""

    def __init__(
        self,
        here: Here,
        mirroring: Mirroring,
        declared: Mapping[str, Any],
        config: str,
        variant: str,
        *,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._here = here
        self._mirroring = mirroring
        self._declared = declared
        self._config = config
        self._variant = variant
        self._say = say
        self._tally = Tally(mirroring, config)
        self._after: object = None

    def look(self, samples: Samples, since: float, now: float) -> Verdict:
        """Adds to the samples. Whoever goes on with a shift reads all pairs of the stage again."""
        came = self._here.new_shadow_pairs(samples.endpoint, since, self._after)
        self._after = came.after
        self._tally.add(came.pairs, came.lost)
        if samples.shadow is None:
            samples.shadow = ShadowSamples(dict(self._declared), self._config, self._variant)
        look = with_look(samples.shadow, self._tally, since, now, self._mirroring)
        if look.standing == "red":
            for example in samples.shadow.examples[:_LISTED]:
                self._say(f"disagrees: {example.told}")
        return Verdict(look.standing, look.why)
