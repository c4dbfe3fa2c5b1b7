"""What became of requests that never were, period by period, and tests of two versions by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlops.deploy.measures import measures
from mlops.deploy.shifting.comparing import Comparison
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.judging import ByMetrics
from mlops.deploy.shifting.samples import Samples
from mlops.ir.measure import Outcomes, answers_of
from mlops.ir.shift import Bake, Stage

PERIOD = 60
BEGAN = 1000 * PERIOD
LATE = 600.0


@dataclass
class Fate:
    """Of ``requests`` in a period ``served`` (``share`` without) go to green, and the rest to blue. Each comes to 1
    with the chance of its version, in a slice with that of the slice, which is as large as ``sizes`` say; a part of the
    outcomes is ``known``."""

    blue: float
    green: float
    seed: int = 0
    requests: int = 200
    share: float = 0.5
    served: float | None = None
    known: float = 1.0
    sizes: Mapping[str, float] = field(default_factory=dict)
    in_slice: Mapping[str, float] = field(default_factory=dict)
    asked: set[tuple[str, int]] = field(default_factory=set)

    def read(self, since: float, began: float, now: float, names: Sequence[str]) -> None:
        self.until = now

    def forget(self, before: float) -> None:
        pass

    def answers(
        self, wanted: Outcomes, slices: Mapping[str, Sequence[str]], variant: str, at: int, seconds: int
    ) -> dict[str, float | None]:
        assert (variant, at) not in self.asked, "what became of a request by its time does not change"
        self.asked.add((variant, at))
        assert at + seconds + wanted.within <= self.until
        # A seed of fewer numbers would be the same as one with a 0 at its end.
        chances = np.random.default_rng([self.seed, at, 1 + (variant == "green")])
        share = 0.0 if at < BEGAN else self.share if self.served is None else self.served
        both = np.random.default_rng([self.seed, at, 3]).binomial(self.requests, share)
        count = int(both) if variant == "green" else self.requests - int(both)
        if not count:
            return {}
        rate = self.green if variant == "green" else self.blue
        parts, left, found = [], count, Counter[float]()
        for name, size in self.sizes.items():
            of_it = int(chances.binomial(left, size))
            left -= of_it
            of_rate = self.in_slice.get(name, rate) if variant == "green" else rate
            values = self._values(chances, of_it, of_rate)
            parts.append(answers_of(values, of_it, 0, name))
            found.update(values)
        found.update(self._values(chances, left, rate))
        whole = answers_of(found, count, 0)
        return {key: count for part in (whole, *parts) for key, count in part.items()}

    def _values(self, chances: np.random.Generator, requests: int, rate: float) -> dict[float, int]:
        known = int(chances.binomial(requests, self.known))
        ones = int(chances.binomial(known, rate))
        return {value: times for value, times in ((1.0, ones), (0.0, known - ones)) if times}


@dataclass(frozen=True)
class Test:
    """An A/B test of ``periods``; stages of a shift where other ones are given."""

    __test__ = False
    comparison: Comparison
    measure: str = "outcome"
    share: float = 50.0
    periods: int = 60
    shares: tuple[float, ...] = ()

    @property
    def bakes(self) -> Sequence[Bake]:
        shares = self.shares or (self.share,)
        each = self.periods // len(shares) * float(PERIOD)
        return [Bake(number, share, each, not self.shares) for number, share in enumerate(shares, 1)]

    def judge(self, fate: Fate, samples: Samples | None = None) -> ByMetrics:
        of = measures()[self.measure]
        named = {"name": "bought"} if self.measure == "outcome" else {}
        rule = Rule("bought", of, of.settings(within=LATE, **named), compare=self.comparison)
        return ByMetrics(None, [rule], samples or self.samples(), joined=fate)

    def samples(self, judge: Mapping[str, Any] | None = None) -> Samples:
        stages = tuple(Stage(bake.share, bake.seconds) for bake in self.bakes)
        return Samples("churn", "churn", 2, "green", ("blue",), stages, 0.0, judge or {}, ())

    def looks(self, fate: Fate, samples: Samples | None = None, every: int = 1) -> Iterator[tuple[int, str, str]]:
        """Stage, standing and why, as the controller looks: until it is red, decided, or over."""
        judging = self.judge(fate, samples)
        since, before = float(BEGAN), []
        for bake in self.bakes:
            now = since
            while True:
                now += PERIOD * every
                verdict = judging.look(bake, since, now, before)
                yield bake.stage, verdict.standing, verdict.why
                over = now >= since + bake.seconds
                if verdict.standing == "red" or now >= since + bake.seconds + judging.patience:
                    return
                if verdict.standing == "green" and (over or bake.until_decided):
                    break
            before.append((since, now))
            since = now

    def ends(self, fate: Fate, every: int = 1) -> tuple[str, str, int]:
        """How: ``green``, ``red``, or ``unsure`` where it is undecided; why, and after how many looks."""
        found = list(self.looks(fate, every=every))
        return found[-1][1], found[-1][2], len(found)
