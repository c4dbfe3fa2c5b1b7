"""Before a shift: what the new version answers as a shadow of what serves, and whether it may go on by that.

What is kept of each look are counts: how many pairs, on how many the two disagree, at how many only the one failed,
whole and by slice. A verdict follows from them alone, and may be looked at at any time: bets against the hypothesis
that they disagree no more often than is declared, and that the new version fails no more often
(:mod:`mlops.statistics`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal, NamedTuple

from mlops.account import ShadowPair
from mlops.deploy.shifting.verdict import Verdict
from mlops.ir.dataclass import dataclass
from mlops.ir.measure import said_share
from mlops.statistics import pairs as evidence
from mlops.statistics.betting import Tosses, goal, log_wealth

OK = 200
_MOST_EXAMPLES = 20
_MOST_SLICES = 50
"""Of values that requests are told apart by; what comes after is counted in the whole."""


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The shadow is shown ``share`` percent of the requests for ``seconds``. Red where the two disagree on more than
    ``disagree`` of the pairs, where numbers that differ by at most ``within`` agree, and where only the shadow fails at
    more of them: of versions for which that is not so at most ``false_alarms`` are called so. So many ``pairs`` are
    needed. ``undecided``: what comes of it where neither is proven. ``slices`` names a key of the request's custom
    attributes, each value of which is looked at by itself. ``payloads`` is where what was asked and answered is kept,
    None where it is not."""

    seconds: float
    share: float = 100.0
    disagree: float = 0.01
    within: float = 0.0
    false_alarms: float = 0.05
    pairs: int = 100
    undecided: Literal["go-on", "back"] = "go-on"
    slices: str | None = None
    payloads: str | None = None


class Counts(NamedTuple):
    """Of pairs: on how many the two disagree, and at how many only the one failed."""

    pairs: int = 0
    disagree: int = 0
    only_new_failed: int = 0
    only_old_failed: int = 0

    def with_pair(self, pair: ShadowPair, within: float) -> Counts:
        new, old = pair.shadow_status != OK, pair.status != OK
        return Counts(
            self.pairs + 1,
            self.disagree + (not agrees(pair, within)),
            self.only_new_failed + (new and not old),
            self.only_old_failed + (old and not new),
        )

    def minus(self, before: Counts) -> Counts:
        return Counts(*(max(0, now - then) for now, then in zip(self, before, strict=True)))


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A look, at ``now`` since ``since``, in seconds since 1970: all that was seen until then. ``unknown`` requests
    were not shown to the shadow, or what it answered found no room."""

    since: float
    now: float
    standing: Literal["green", "red", "unsure"]
    why: str
    whole: Counts
    unknown: int = 0
    slices: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """A pair that disagrees; what was asked and answered where that is kept."""

    event_id: str
    inference_id: str | None
    status: int
    shadow_status: int
    distance: float | None = None
    input: str | None = None
    answer: str | None = None
    shadow_answer: str | None = None

    @property
    def told(self) -> str:
        named = f"inference id {self.inference_id}" if self.inference_id else f"event {self.event_id}"
        asked = f"{_line(self.input)}: " if self.input is not None else ""
        old, new = _said(self.status, self.answer), _said(self.shadow_status, self.shadow_answer)
        apart = f", {self.distance:g} apart" if self.distance is not None and not asked else ""
        return f"{named}: {asked}{old}, and the shadow {new}{apart}"


@dataclass(slots=True)
class ShadowSamples:
    """``declared`` is the table as it is written; ``config`` is the endpoint configuration with the shadow."""

    declared: Mapping[str, Any]
    config: str
    variant: str
    looks: list[Mirrored] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


class Tally:
    """What was seen until now. Pairs of another configuration are left out."""

    def __init__(self, mirroring: Mirroring, config: str) -> None:
        self._mirroring = mirroring
        self._config = config
        self.whole = Counts()
        self.slices: dict[str, Counts] = {}
        self.unknown = 0
        self.examples: list[Example] = []

    def add(self, pairs: Iterable[ShadowPair], unknown: int) -> None:
        within = self._mirroring.within
        self.unknown += unknown
        for pair in pairs:
            if pair.config != self._config:
                continue
            self.whole = self.whole.with_pair(pair, within)
            of = slice_of(pair.attributes, self._mirroring.slices) if self._mirroring.slices else None
            if of is not None and (of in self.slices or len(self.slices) < _MOST_SLICES):
                self.slices[of] = self.slices.get(of, Counts()).with_pair(pair, within)
            if not agrees(pair, within) and len(self.examples) < _MOST_EXAMPLES:
                self.examples.append(_example(pair))


def agrees(pair: ShadowPair, within: float) -> bool:
    """Two that both failed do."""
    if (pair.status == OK) != (pair.shadow_status == OK):
        return False
    return pair.status != OK or pair.same or (pair.distance is not None and pair.distance <= within)


def slice_of(attributes: str | None, key: str) -> str | None:
    """The value of a key of custom attributes.

    >>> slice_of("user=7;segment=new", "segment"), slice_of("a=1, segment = old", "segment"), slice_of(None, "segment")
    ('new', 'old', None)
    """
    for part in (attributes or "").replace(";", ",").replace("&", ",").split(","):
        name, found, value = part.partition("=")
        if found and name.strip() == key:
            return value.strip()[:64]
    return None


def decided(mirroring: Mirroring, looks: Sequence[Mirrored]) -> Verdict:
    """By all looks until now; the last is asked for."""
    now = looks[-1]
    whole = [look.whole for look in looks]
    red = list(_worse(mirroring, whole, mirroring.false_alarms, ""))
    # All slices together have as many false alarms again: the k-th that came has 6 / (pi k)^2 of them.
    for number, name in enumerate(now.slices, 1):
        alpha = mirroring.false_alarms * 6 / (math.pi * number) ** 2
        counts = [look.slices.get(name, Counts()) for look in looks]
        red += _worse(mirroring, counts, alpha, f"{mirroring.slices}={name}: ")
    told = _told(mirroring, now)
    if red:
        return Verdict("red", f"{'; '.join(red)} ({told})" if len(red) == 1 and now.unknown else "; ".join(red))
    if now.whole.pairs < mirroring.pairs:
        return Verdict("unsure", f"{now.whole.pairs} of {mirroring.pairs} pairs were seen ({told})")
    if mirroring.undecided == "back" and not _is_no_worse(mirroring, whole):
        limit = said_share(mirroring.disagree)
        return Verdict("unsure", f"not proven that they disagree on no more than {limit} ({told})")
    return Verdict("green", told)


def disagreement(mirroring: Mirroring, counts: Sequence[Counts], alpha: float) -> tuple[float, ...]:
    """The log wealth after each look of whoever bets that they disagree on more than is declared."""
    return _bets(mirroring, counts, alpha, mirroring.disagree, lambda now: now.disagree)


def failures(counts: Sequence[Counts], alpha: float) -> tuple[float, ...]:
    """The same of whoever bets that only the shadow fails more often than only what serves."""
    looks = [evidence.Look(now.pairs, now.only_new_failed, now.only_old_failed) for now in _since(counts)]
    return evidence.worse(looks, alpha=alpha)


def _worse(mirroring: Mirroring, counts: Sequence[Counts], alpha: float, where: str) -> Iterable[str]:
    now, doubt = counts[-1], f"with a doubt of at most {said_share(alpha)}"
    if max(disagreement(mirroring, counts, alpha), default=0.0) >= goal(alpha):
        seen, limit = _share(now.disagree, now.pairs), said_share(mirroring.disagree)
        yield f"{where}the shadow disagrees on {seen}, and at most {limit} is wanted, {doubt}"
    if max(failures(counts, alpha), default=0.0) >= goal(alpha):
        only = f"only the shadow failed at {now.only_new_failed}, only what serves at {now.only_old_failed}"
        yield f"{where}{only} of {_counted(now.pairs)}: it fails more often, {doubt}"


def _is_no_worse(mirroring: Mirroring, counts: Sequence[Counts]) -> bool:
    alpha = mirroring.false_alarms
    opposite = _bets(mirroring, counts, alpha, 1 - mirroring.disagree, lambda now: now.pairs - now.disagree)
    return max(opposite, default=0.0) >= goal(alpha)


def _bets(mirroring: Mirroring, counts: Sequence[Counts], alpha: float, chance: float, ones: Any) -> tuple[float, ...]:
    tosses, seen = [], 0
    for now in _since(counts):
        # Planned is what is needed; a look has at least its own pairs of it.
        ahead = max(0, mirroring.pairs - seen) * chance * (1 - chance)
        tosses.append(Tosses(ones(now), now.pairs, chance, ahead))
        seen += now.pairs
    return log_wealth(tosses, alpha)


def _since(counts: Sequence[Counts]) -> Sequence[Counts]:
    """What came since the look before."""
    return [now.minus(before) for now, before in zip(counts, (Counts(), *counts), strict=False)]


def _told(mirroring: Mirroring, now: Mirrored) -> str:
    unknown = f", {now.unknown} not shown to it or not kept" if now.unknown else ""
    return f"the shadow disagrees on {_share(now.whole.disagree, now.whole.pairs)}{unknown}"


def _share(count: int, pairs: int) -> str:
    return f"{count} of {_counted(pairs)} ({said_share(count / pairs)})" if pairs else "no pair yet"


def _counted(pairs: int) -> str:
    return f"{pairs:,} pair{'' if pairs == 1 else 's'}"


def _example(pair: ShadowPair) -> Example:
    return Example(
        pair.event_id,
        pair.inference_id,
        pair.status,
        pair.shadow_status,
        pair.distance,
        pair.input,
        pair.answer,
        pair.shadow_answer,
    )


def _said(status: int, answer: str | None) -> str:
    if status != OK:
        return f"failed with {status}"
    return "answered" if answer is None else f"said {_line(answer)}"


def _line(text: str | None) -> str:
    """As one short line."""
    told = "".join(letter if letter.isprintable() else " " for letter in (text or "").strip())
    return told if len(told) <= 60 else f"{told[:59]}…"


def with_look(samples: ShadowSamples, tally: Tally, since: float, now: float, mirroring: Mirroring) -> Mirrored:
    """Adds what the tally has to the samples, with its verdict."""
    look = Mirrored(since, now, "unsure", "", tally.whole, tally.unknown, dict(tally.slices))
    verdict = decided(mirroring, [*samples.looks, look])
    look = replace(look, standing=verdict.standing, why=verdict.why)
    samples.looks.append(look)
    samples.examples = [*tally.examples]
    return look
