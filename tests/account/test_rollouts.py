"""Deployments in steps, by a clock that is moved: an hour's bake takes no time, and at every moment somebody serves."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops.account.local.process.serving.happenings import (
    AlarmsTold,
    AskAlarms,
    Asked,
    Drain,
    Drained,
    Ended,
    Happening,
    Kill,
    Launch,
    Launched,
    Read,
    ReadConfig,
    Ready,
    Route,
    Rules,
    State,
    Stop,
    Tick,
    Variant,
    WriteKept,
    WriteMixed,
    WriteProgress,
    WriteServing,
)
from mlops.account.local.process.serving.machine import advance, next_due
from mlops.account.local.services.sagemaker.deployments import Policy, Size

ALARMS = ("errors",)
HOUR = 3600.0


@dataclass
class Endpoint:
    """Configuration ``c1`` serves with ``old`` instances a variant, and ``c2`` comes with ``new``. Servers are up after
    ten seconds, but those of fleets that are ``broken``; from ``red`` on the alarm is in alarm."""

    policy: Policy
    old: int = 4
    new: int = 4
    names: tuple[str, ...] = ("A",)
    red: float = float("inf")
    broken: set[int] = field(default_factory=set)
    workers: int = 1
    lacks: bool = False  # a server died, and its revival takes its time
    now: float = 0.0
    state: State = field(default_factory=State)
    written: list[tuple[float, Any]] = field(default_factory=list)
    routes: list[tuple[float, Route]] = field(default_factory=list)
    asked: int = 0
    _coming: list[tuple[float, int, Happening]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.tell(Asked("Creating", "c1", at="1"))
        self.run(60)
        assert isinstance(self.written[-1][1], WriteServing)

    def update(self) -> None:
        self.tell(Asked("Updating", "c2", at="2"))

    def tell(self, happening: Happening) -> None:
        self.state, effects = advance(self.state, happening, self.now, RULES)
        for effect in effects:
            self._do(effect)
        self._holds()

    def run(self, seconds: float = 10 * HOUR) -> None:
        """All that happens by itself in that time."""
        end = self.now + seconds
        while True:
            due = next_due(self.state)
            soonest = self._coming[0][0] if self._coming else float("inf")
            at = min(soonest, float("inf") if due is None else max(due, self.now))
            if at > end:
                self.now = end
                return
            self.now = at
            self.tell(heapq.heappop(self._coming)[2] if soonest <= at else Tick())

    def _do(self, effect: Any) -> None:
        match effect:
            case ReadConfig(fleet, config):
                instances = self.old if config == "c1" else self.new
                variants = tuple(
                    Variant(name, weight, instances, self.workers) for weight, name in enumerate(self.names, 1)
                )
                self._later(0, Read(fleet, variants, policy=self.policy))
            case Launch(server, attempt):
                self._later(1, Launched(server, attempt))
                ends = Ended(server, attempt, "it does not start")
                self._later(10, ends if server.fleet in self.broken else Ready(server, attempt))
            case Drain(server):
                self._later(2, Drained(server))
            case Stop(server) | Kill(server):
                self._later(1, Ended(server, self.state.servers[server].attempt, "it was stopped"))
            case AskAlarms(names, at):
                assert names == ALARMS
                self.asked += 1
                self._later(0.1, AlarmsTold(at, "the alarm rings" if self.now >= self.red else None))
            case Route():
                self.routes.append((self.now, effect))
            case WriteServing() | WriteKept() | WriteMixed() | WriteProgress():
                self.written.append((self.now, effect))

    def _later(self, seconds: float, happening: Happening) -> None:
        heapq.heappush(self._coming, (self.now + seconds, next(self._numbers), happening))

    def _holds(self) -> None:
        """The traffic adds up, and who has a share of it has that share of the instances."""
        if not self.routes or self.lacks:
            return
        route = self.routes[-1][1]
        for name in self.names:
            mine = [item for item in route.variants if item.name == name]
            assert sum(item.share for item in mine) == pytest.approx(1)
            for item in mine:
                whole = self.new if item.config or route.config == "c2" else self.old
                up = [server for server in item.servers if self.state.servers[server].phase == "ready"]
                assert len(up) >= item.share * whole * self.workers - 1e-9, (self.now, item)
        weights = dict.fromkeys(self.names, 0.0)
        for item in route.variants:
            weights[item.name] += item.weight * item.share
        assert sum(weights.values()) > 0

    # What came of it.

    def shares(self) -> list[tuple[float, float]]:
        """The new fleet's share, and since when, counted from the update's first traffic."""
        found: list[tuple[float, float]] = []
        for at, route in self.routes[1:]:
            has = {item.config: item.share for item in route.variants if item.name == self.names[0]}
            share = 1.0 if route.config == "c2" else has.get("c2", 0.0)
            if not found or found[-1][1] != share:
                found.append((at, share))
        start = found[0][0] if found else 0.0
        return [(at - start, share) for at, share in found]

    @property
    def end(self) -> Any:
        return self.written[-1][1]

    def up(self, fleet: int) -> int:
        return sum(server.id.fleet == fleet for server in self.state.servers.values())


RULES = Rules(servers=1000, look_seconds=100)
CANARY = Policy(Size("CAPACITY_PERCENT", 25), wait=HOUR, last_wait=600, alarms=ALARMS)
LINEAR = Policy(Size("INSTANCE_COUNT", 1), repeats=True, wait=600, last_wait=300, alarms=ALARMS)
ROLLING = Policy(Size("CAPACITY_PERCENT", 25), True, True, 600, 600, alarms=ALARMS)
AT_ONCE = Policy(last_wait=HOUR, alarms=ALARMS)


@pytest.mark.parametrize(
    ("policy", "shares", "ends"),
    [
        (CANARY, [(0, 0.25), (3600, 1.0)], 4200),
        (LINEAR, [(0, 0.25), (600, 0.5), (1200, 0.75), (1800, 1.0)], 2100),
        # Each batch has to come up first.
        (ROLLING, [(0, 0.25), (610, 0.5), (1220, 0.75), (1830, 1.0)], 2430),
        (AT_ONCE, [(0, 1.0)], 3600),
        (Policy(Size("INSTANCE_COUNT", 2), wait=0, last_wait=0), [(0, 0.5), (0, 1.0)], 0),
    ],
    ids=["a canary", "equal steps", "batches", "all at once with a bake", "a canary that waits for nothing"],
)
def test_traffic_goes_over_as_the_policy_says(policy: Policy, shares: list[tuple[float, float]], ends: float) -> None:
    endpoint = Endpoint(policy)
    endpoint.update()
    start = endpoint.now
    endpoint.run()
    assert [(pytest.approx(at, abs=1), share) for at, share in endpoint.shares()] == shares
    assert isinstance(endpoint.end, WriteServing) and endpoint.end.counts == {"A": 4}
    assert endpoint.written[-1][0] - start == pytest.approx(ends + 10, abs=2)
    assert (endpoint.up(1), endpoint.up(2)) == (0, 4)
    if policy.alarms:
        assert endpoint.asked >= ends / (RULES.look_seconds + 1)


@pytest.mark.parametrize("after", [0, 30, 700, 1500, 2000])
@pytest.mark.parametrize("policy", [CANARY, LINEAR, ROLLING, AT_ONCE])
def test_an_alarm_takes_all_traffic_back(policy: Policy, after: float) -> None:
    endpoint = Endpoint(policy)
    endpoint.update()
    start = endpoint.now
    endpoint.red = start + 10 + after
    endpoint.run()
    assert endpoint.end == WriteKept("c2", "the alarm rings")
    assert [(item.name, item.share, item.config) for item in endpoint.routes[-1][1].variants] == [("A", 1.0, "")]
    assert (endpoint.up(1), endpoint.up(2)) == (4, 0)
    # In one go: the old fleet is there, or comes up in as many seconds as the new one.
    assert endpoint.written[-1][0] - endpoint.red <= RULES.look_seconds + 10 + 3 + 2
    last = [item.back for _, item in endpoint.written if isinstance(item, WriteProgress)][-1]
    assert last == "the alarm rings"


def test_a_rolling_one_goes_back_in_its_batches() -> None:
    endpoint = Endpoint(
        Policy(Size("INSTANCE_COUNT", 2), True, True, 60, 60, alarms=ALARMS, rollback=Size("INSTANCE_COUNT", 1))
    )
    endpoint.update()
    endpoint.run(100)
    assert endpoint.shares()[-1][1] == 1.0 and endpoint.up(1) == 2
    endpoint.red = endpoint.now
    endpoint.run(HOUR)
    assert [share for _, share in endpoint.shares()] == [0.5, 1.0, 0.25, 0.0]
    assert endpoint.end == WriteKept("c2", "the alarm rings")
    assert (endpoint.up(1), endpoint.up(2)) == (4, 0)


@pytest.mark.parametrize("policy", [CANARY, LINEAR, ROLLING, AT_ONCE])
def test_what_does_not_start_gets_no_traffic(policy: Policy) -> None:
    endpoint = Endpoint(policy, broken={2})
    endpoint.update()
    endpoint.run()
    assert endpoint.end == WriteKept("c2", "it does not start") and endpoint.shares() in ([], [(0, 0.0)])
    assert (endpoint.up(1), endpoint.up(2)) == (4, 0)


def test_a_batch_that_does_not_start_takes_the_others_back() -> None:
    endpoint = Endpoint(ROLLING)
    endpoint.update()
    endpoint.run(100)
    endpoint.broken = {2}
    endpoint.run()
    assert endpoint.end == WriteKept("c2", "it does not start")
    assert [share for _, share in endpoint.shares()] == [0.25, 0.0]
    assert (endpoint.up(1), endpoint.up(2)) == (4, 0)


def test_where_neither_comes_up_both_serve_until_another_is_asked_for() -> None:
    endpoint = Endpoint(ROLLING)
    endpoint.update()
    endpoint.run(1000)
    assert endpoint.shares()[-1][1] == 0.5
    endpoint.broken, endpoint.red = {1}, endpoint.now
    endpoint.run()
    assert isinstance(endpoint.end, WriteMixed)
    assert endpoint.end.reason == "the alarm rings; and on the way back, it does not start"
    assert [item.share for item in endpoint.routes[-1][1].variants] == [0.5, 0.5]
    endpoint.broken, endpoint.red = {3}, float("inf")
    endpoint.tell(Asked("Updating", "c2", at="3"))
    endpoint.run()
    assert endpoint.end == WriteMixed("c2", "it does not start")
    endpoint.broken = set()
    endpoint.tell(Asked("Updating", "c2", at="4"))
    endpoint.run()
    assert isinstance(endpoint.end, WriteServing)
    assert (endpoint.up(1), endpoint.up(2), endpoint.up(4)) == (0, 0, 4)


def test_one_that_lasts_too_long_goes_back() -> None:
    for limit, ended in ((700.0, WriteKept), (5000.0, WriteServing)):
        endpoint = Endpoint(Policy(Size("INSTANCE_COUNT", 1), wait=HOUR, limit=limit))
        endpoint.update()
        start = endpoint.now
        endpoint.run()
        assert isinstance(endpoint.end, ended)
        if ended is WriteKept:
            assert endpoint.end.reason == "it took longer than its MaximumExecutionTimeoutInSeconds of 700"
            assert endpoint.written[-1][0] - start == pytest.approx(700, abs=3)


def test_a_server_of_the_new_fleet_that_dies_while_it_bakes_is_revived() -> None:
    endpoint = Endpoint(CANARY)
    endpoint.update()
    endpoint.run(100)
    (died,) = (item.servers[0] for item in endpoint.routes[-1][1].variants if item.config)
    endpoint.lacks = True
    endpoint.tell(Ended(died, 1, "out of memory"))
    (mine,) = [item for item in endpoint.routes[-1][1].variants if item.config]
    assert (mine.servers, mine.share) == ((), 0.25)
    endpoint.run(100)
    (mine,) = [item for item in endpoint.routes[-1][1].variants if item.config]
    assert mine.servers == (died,)
    endpoint.lacks = False
    endpoint.run()
    assert isinstance(endpoint.end, WriteServing)


def test_what_is_told_meanwhile_are_the_words_of_the_service() -> None:
    endpoint = Endpoint(CANARY)
    endpoint.update()
    endpoint.run()
    told = [item.variants[0] for _, item in endpoint.written if isinstance(item, WriteProgress)]
    assert [(item.status, item.message, item.instances, item.left, item.share) for item in told] == [
        ("Creating", "Launching 4 instance(s).", 0, 4, 0.0),
        (
            "Baking",
            "Baking for 3600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
            4,
            4,
            0.25,
        ),
        (
            "Baking",
            "Baking for 600 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).",
            4,
            4,
            1.0,
        ),
    ]


def test_a_deletion_in_the_middle_stops_all() -> None:
    for policy in (CANARY, ROLLING):
        endpoint = Endpoint(policy)
        endpoint.update()
        endpoint.run(100)
        endpoint.routes.clear()
        endpoint.tell(Asked("Deleting", at="3"))
        endpoint.run()
        assert not endpoint.state.servers and endpoint.state.rollout is None


SIZES = st.one_of(
    st.builds(Size, st.just("CAPACITY_PERCENT"), st.integers(1, 50)),
    st.builds(Size, st.just("INSTANCE_COUNT"), st.integers(1, 4)),
)
POLICIES = st.builds(
    lambda size, kind, wait, last, alarms, back: Policy(
        size, kind != "canary", kind == "rolling", wait, wait if kind == "rolling" else last, None, alarms, back
    ),
    SIZES,
    st.sampled_from(["canary", "linear", "rolling"]),
    st.sampled_from([0.0, 5.0, 600.0]),
    st.sampled_from([0.0, 600.0]),
    st.sampled_from([(), ALARMS]),
    st.none() | SIZES,
)


@settings(max_examples=40, deadline=None, derandomize=True)
# The second server that did not start, on the way back, stopped the first ones at once.
@example(Policy(Size("CAPACITY_PERCENT", 1), True, True, 0.0, 0.0), 2, 2, 2, (), 0.0, 2)
@given(
    POLICIES,
    st.integers(2, 9),
    st.integers(2, 9),
    st.integers(1, 2),
    st.sampled_from([(), ("B",)]),
    st.none() | st.floats(0, 3000),
    st.sampled_from([None, 1, 2]),
)
def test_whatever_happens_it_serves_with_all_instances_in_the_end(
    policy: Policy, old: int, new: int, workers: int, more: tuple[str, ...], red: float | None, breaks: int | None
) -> None:
    """``breaks`` is a fleet of which nothing starts any more when the alarm rings."""
    names = ("A", *(more if not policy.rolling else ()))
    endpoint = Endpoint(policy, old, new, names, workers=workers)
    endpoint.update()
    if red is not None:
        endpoint.run(red)
        endpoint.red = endpoint.now
        endpoint.broken = {breaks} if breaks else set()
    endpoint.run(20 * HOUR)
    shares = [share for _, share in endpoint.shares()]
    match endpoint.end:
        case WriteServing():
            assert (endpoint.up(1), endpoint.up(2)) == (0, new * workers * len(names))
            assert all(before < after for before, after in pairwise(shares))
        case WriteKept():
            assert (endpoint.up(1), endpoint.up(2)) == (old * workers * len(names), 0)
        case WriteMixed():
            assert breaks == 1 and policy.rolling
        case other:
            raise AssertionError(other)
