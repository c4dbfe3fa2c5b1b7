"""Take an approved version of a model to an endpoint of an environment, by the strategy that is declared for it: see,
decide, do and tell.

What was cut off, at whatever moment, is finished by running it again; what is under way at the endpoint is waited for.
A shift of traffic has a journal in the account, which another machine can go on with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from mlops.account import Account, answers, confirm_identity
from mlops.deploy.endpoints import begun, history
from mlops.deploy.endpoints.as_declared import as_declared
from mlops.deploy.endpoints.asked import Asked
from mlops.deploy.endpoints.conductor import Conductor, need_left, unfinished
from mlops.deploy.endpoints.crossing import Crossing, need_all
from mlops.deploy.endpoints.diary import Diary
from mlops.deploy.endpoints.gating import APPROVAL, Gated, need_open
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.people import People
from mlops.deploy.endpoints.planning import all_samples, decided, need_own, scaling_of, see
from mlops.deploy.endpoints.promotion import (
    Promotion,
    Seen,
    Shift,
    Target,
    settled,
    want,
)
from mlops.deploy.endpoints.sampling import Answer, Samples, samples_of, types_of
from mlops.deploy.endpoints.telling import told
from mlops.deploy.endpoints.to_component import to_component
from mlops.deploy.endpoints.writer import Writer
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.shifting.controller import Happened
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.saying import Say
from mlops.project.environments import Environment

__all__ = ["Answer", "Promoted", "Target", "promote"]

_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True, slots=True)
class Promoted:
    """``action`` is unchanged where the endpoint served this version before; ``answers`` are the smoke test's."""

    endpoint: str
    environment: str
    version: Version
    action: Literal["created", "updated", "unchanged"]
    config: str
    answers: tuple[Answer, ...]


def promote(
    account: Account,
    environment: Environment,
    version: Version,
    target: Target,
    settings: PromotionSettings,
    *,
    registry: Account | None = None,
    crossing: Crossing | None = None,
    samples: Mapping[str, bytes] | None = None,
    further: Samples | None = None,
    gated: Sequence[Gated] = (),
    reason: str | None = None,
    take_over: bool = False,
    asks: bool = False,
    say: Say = lambda text: None,
    permit: Say = lambda doing: None,
    clock: Clock | None = None,
) -> Promoted:
    """``registry`` is the account that holds the version and its sample, where that is another one, and ``crossing``
    how it comes from there; ``further`` are samples of the version that serves. ``take_over``: a shift that is under
    way is gone on with whoever else may be at it. ``gated`` is what the gates found, and ``reason`` why one of them is
    passed over. ``permit`` hears, in words, what is about to be done before anything is, and may raise; ``asks``: it
    asks somebody though the environment wants none.

    Raises Refusal where the version is not approved, the endpoint does not come up, the smoke test fails or a verdict
    is red; then it is taken back to what served before, where that is known.
    """
    gated = gated or (Gated(APPROVAL, version.approval == APPROVED, version.approval),)
    try:
        need_open(gated, version)
    except Refusal:
        if account.events is not None:
            with answers():
                who = confirm_identity(account, environment).arn
            Diary(account, target.endpoint, version, who, say).refused([item.gate for item in gated if item.closed])
        raise
    if not _ENDPOINT.fullmatch(target.endpoint):
        raise UsageError(
            f"{target.endpoint!r} is no name for an endpoint", hint="use up to 63 letters, digits and dashes"
        )
    if crossing is not None:
        need_all(crossing, version, environment)
    wanted = want(environment, version, target, crossing)
    with answers():
        identity = confirm_identity(account, environment)
        need_own(environment, identity.account, version, wanted)
        own = None if samples is None else Samples(samples, *types_of(version))
    clock = clock or Clock()
    conductor = Conductor(account, environment, settings, by=identity.arn, timeout=target.timeout, say=say, clock=clock)
    over = tuple(item.gate for item in gated if item.overridden)
    asks = asks or environment.approval
    asked = Asked(account, environment, version, wanted, settings, identity.arn, reason, over, asks, say, permit, clock)
    if settings.component is not None:
        if crossing is not None:
            raise Refusal(
                f"{asked.what} is of another account or region, and goes to no inference component from there",
                hint="register it in the account that serves it",
            )
        verb, answered = to_component(asked, conductor, own or samples_of(registry or account, version))
        Diary(account, target.endpoint, version, identity.arn, say).overridden(over, reason)
        return Promoted(settings.component, environment.name, version, verb, wanted.model, answered)
    with answers():
        seen = see(account, environment, wanted, all_samples(own or samples_of(registry or account, version), further))
        wanted, seen = as_declared(account, wanted, version, seen)
    return _to_endpoint(replace(asked, wanted=wanted), seen, conductor, registry or account, take_over=take_over)


def _to_endpoint(asked: Asked, seen: Seen, conductor: Conductor, registry: Account, *, take_over: bool) -> Promoted:
    account, environment, endpoint = asked.account, asked.environment, asked.wanted.endpoint
    writer = Writer(
        account,
        environment,
        registry,
        asked.version,
        seen.samples,
        conductor,
        timeout=asked.wanted.target.timeout,
        say=asked.say,
        clock=asked.clock,
        reason=asked.reason,
        passed_over=asked.passed_over,
    )
    left = None if seen.endpoint is None else unfinished(account, environment, endpoint)
    if left is not None:
        need_left(left, environment, take_over=take_over)
    first = decided(account, asked.environment, seen, asked.wanted, asked.settings)
    if left is not None or first.writes:
        asked.permit_after((line for action in first.actions for line in told(action)), f"the endpoint {endpoint}")
    diary = Diary(account, endpoint, asked.version, asked.by, asked.say)
    with diary.kept():
        diary.overridden(asked.passed_over, asked.reason)
        if left is not None:
            conductor.go_on(left, seen.samples)
            with answers():
                seen = see(account, environment, asked.wanted, seen.samples)
        while True:
            # Once more: something may have come while somebody was asked, or by what was done.
            promotion = decided(account, asked.environment, seen, asked.wanted, asked.settings)
            entry = _do(asked, promotion, seen, writer, diary)
            if promotion.verb is not None:
                # Of a shift that was cut off, and has come here now, the end is told.
                verb = "updated" if promotion.verb == "unchanged" and left is not None else promotion.verb
                diary.ended(verb, promotion.config)
                if entry is not None:
                    with answers():
                        history.append(account, environment, endpoint, entry)
                answered = tuple(writer.answers)
                return Promoted(endpoint, environment.name, asked.version, verb, promotion.config, answered)
            seen = settled(seen, asked.wanted, writer.state)
            with answers():
                seen = replace(seen, scaling=scaling_of(account, asked.wanted, seen.endpoint))


def _do(asked: Asked, promotion: Promotion, seen: Seen, writer: Writer, diary: Diary) -> Entry | None:
    """All actions. Answers what the history gets at the end, where it gets something from here."""
    with answers():
        entry = _begun(asked, promotion, seen)
    writer.doing = entry.id if entry is not None else ""
    with _told_of(asked, promotion):
        try:
            for action in promotion.actions:
                writer.do(action)
                diary.acted(action)
        except MlopsError as error:
            writer.note_if_taken_back(asked.wanted.endpoint, entry, error)
            writer.hear_of_failure(promotion, error)
            raise
    return entry


@contextmanager
def _told_of(asked: Asked, promotion: Promotion) -> Iterator[None]:
    """A shift tells of itself; what makes an endpoint is told here."""
    if promotion.verb != "created":
        yield
        return
    people = People(asked.account, asked.environment, asked.settings.notify, asked.settings.root)
    about = {"group": asked.version.group, "version": asked.version.number, "by": asked.by}

    def tell(happened: Happened, text: str) -> None:
        people.tell_of(asked.wanted.endpoint, happened, text, {**about, "key": f"{promotion.config}-{happened}"})

    tell("start", f"is made, with {asked.what}")
    try:
        yield
        tell("end", f"serves {asked.what}")
    except MlopsError as error:
        tell("end", f"does not serve {asked.what}: {error.message}")
        raise
    finally:
        people.close(asked.say)


def _begun(asked: Asked, promotion: Promotion, seen: Seen) -> Entry | None:
    """The end of what is begun now or gone on with, for the endpoint's history; None where nothing is changed, and for
    a shift, which writes its own."""
    if promotion.verb not in ("created", "updated"):
        return None
    done = promotion.finishes
    if done is not None:
        return replace(done, by=asked.by, reason=asked.reason or done.reason)
    account, environment, name, there = asked.account, asked.environment, asked.wanted.endpoint, seen.endpoint
    if promotion.verb == "updated" and there is not None:
        begun.overtake(account, environment, name, seen.begun, there.config)
    if any(isinstance(item, Shift) for item in promotion.actions):
        return None
    before = there.config if there is not None and promotion.verb == "updated" else None
    entry = asked.entry(promotion.verb, promotion.config, before=before, way="at once")
    return begun.begin(account, environment, name, entry, seen.begun)
