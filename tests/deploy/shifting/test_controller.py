"""A controller that is killed, stopped and superseded before and after each of its calls, for each strategy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.controller import Controller, Outcome
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.mirroring import Mirroring
from mlops.deploy.shifting.moves import by_weights
from mlops.deploy.shifting.shadowed_moves import shadow_first
from mlops.deploy.shifting.verdict import Verdict
from mlops.deploy.strategies import strategies
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal
from mlops.ir.shift import Bake, Mirror, Move, PointTo, Serving, Variant
from mlops.project.environments import Environment

from .service import Service

ENVIRONMENT = Environment(
    name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/r", bucket="acme-ml", account="111122223333"
)
SHADOWED = "a shadow first"
STRATEGIES = ("blue-green", "canary", "linear", "rolling", "stepped", SHADOWED)
KILLED = [
    pytest.param(name, marks=() if name in ("rolling", "stepped") else pytest.mark.proof("shift"))
    for name in STRATEGIES
]
"""At each of their calls: the others' are fewer, or of the same kinds."""


def variant(name: str, model: str, count: int = 3) -> Variant:
    return Variant(name, {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large"}, 1.0, count)


OLD = Serving("before", (variant("AllTraffic", "old"),))


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@dataclass
class Judge:
    """Green, but for the stages that are red or unsure."""

    red: frozenset[int] = frozenset()
    unsure: frozenset[int] = frozenset()
    interval: float = 300.0
    patience: float = 100.0
    looked: list[int] = field(default_factory=list)
    kept: int = 0
    sleeps: list[tuple[float, float]] = field(default_factory=list)

    def look(self, bake: Bake, since: float, now: float, before: Sequence[tuple[float, float]]) -> Verdict:
        self.looked.append(bake.stage)
        if bake.stage in self.red:
            return Verdict("red", "it is worse")
        return Verdict("unsure" if bake.stage in self.unsure else "green", "it is as it is")

    def look_at_shadow(self, mirror: Mirror, since: float, now: float) -> Verdict:
        return self.look(Bake(0, mirror.share, mirror.seconds), since, now, ())

    def keep(self, by_people: Sequence[str]) -> None:
        self.kept += 1

    def slept(self, since: float, until: float) -> None:
        self.sleeps.append((since, until))

    def asleep(self, since: float, until: float) -> float:
        return sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in self.sleeps)


@dataclass
class Time:
    """Goes on only while somebody sleeps."""

    passed: float = 1000.0

    def sleep(self, seconds: float) -> None:
        self.passed += max(seconds, 0.001)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self.sleep, lambda: self.passed)


@dataclass
class Laptop(Time):
    """Sleeps an hour, once, when so much time has passed; its monotonic clock stands still meanwhile."""

    at: float = 1300.0
    for_seconds: float = 3600.0

    @property
    def clock(self) -> Clock:
        return Clock(
            lambda: self.passed, self.sleep, lambda: self.passed + (self.for_seconds if self.passed >= self.at else 0)
        )


def moves_of(name: str, old: Serving = OLD) -> tuple[Move, ...]:
    if name == SHADOWED:
        first = shadow_first(Mirroring(600.0, 50.0), "churn", old, variant("blue", "new"), {}, prefix="churn-2")
        return (*first, *moves_of("canary", old))
    strategy = strategies()[name]
    course = strategy.course(strategy.settings(), 3)
    return by_weights(course, old, variant("blue", "new"), {}, count=3, prefix="churn-2")


def journal(moves: tuple[Move, ...], writer: str = "a", fence: int = 1) -> Journal:
    return Journal("churn", "churn", 2, "weights", OLD, moves, fence, writer, "ada", "")


def controller(
    service: Service,
    judge: Judge | None = None,
    time: Time | None = None,
    probe: Callable[[str | None], None] | None = None,
    **more: Any,
) -> Controller:
    account: Any = service
    return Controller(
        account,
        ENVIRONMENT,
        judge or Judge(),
        probe or (lambda variant: None),
        timeout=60,
        clock=(time or Time()).clock,
        **more,
    )


def gone_on_with(service: Service, **more: Any) -> Outcome:
    """By somebody else, from what the journal says."""
    account: Any = service
    stored = journals.read(account, ENVIRONMENT, "churn")
    if stored is None:  # killed before it was begun
        return controller(service, **more).go(journal(moves_of("stepped"), "b"), None)
    if stored.journal.phase == "shifted":
        return Outcome("shifted", stored.journal)
    if stored.journal.phase == "taken back":
        return Outcome("taken back", stored.journal)
    ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
    return controller(service, **more).go(ours, stored.etag)


def models(service: Service) -> list[tuple[str, int | None]]:
    return [(item.request["ModelName"], item.count) for item in service.serving.variants]


@pytest.mark.parametrize(("slept", "told"), [(3600.0, 1), (3.0, 0), (-3600.0, 0)], ids=["an hour", "a slew", "back"])
@pytest.mark.parametrize("moves", ["canary", SHADOWED])
def test_what_a_machine_slept_is_no_time_under_traffic(moves: str, slept: float, told: int) -> None:
    """A bake lasts as long by the clock that stands still as without, and what was not looked at is told."""
    time, judge, said = Laptop(for_seconds=slept), Judge(), list[str]()
    found = controller(Service(OLD), judge, time, say=said.append).go(journal(moves_of(moves)), None)
    assert found.verb == "shifted"
    awake = Time()
    assert controller(Service(OLD), time=awake).go(journal(moves_of(moves)), None).verb == "shifted"
    assert time.passed - awake.passed == pytest.approx(-slept if slept == -3600.0 else -slept * (not told), abs=15)
    assert len([text for text in said if "that time does not count" in text]) == told
    assert [round(end - begin) for begin, end in judge.sleeps] == [3600] * told


def calls_of(name: str, judge: Judge | None = None) -> int:
    service = Service(OLD)
    controller(service, judge).go(journal(moves_of(name)), None)
    return len(service.calls)


def killing(number: int, when: str) -> Callable[[str, str], None]:
    left = [number]

    def hook(at: str, operation: str) -> None:
        if at == when:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    return hook


@pytest.mark.parametrize("name", STRATEGIES)
def test_it_goes_over_and_keeps_its_instances(name: str) -> None:
    service = Service(OLD)
    outcome = controller(service).go(journal(moves_of(name)), None)
    assert (outcome.verb, outcome.journal.phase) == ("shifted", "shifted")
    assert models(service) == [("new", 3)]


def test_a_shadow_that_is_red_never_gets_any_traffic() -> None:
    """It is stage 0 to the judge; what serves is as it was, and has been all the time."""
    service, judge, said = Service(OLD), Judge(frozenset({0})), list[str]()
    outcome = controller(service, judge, say=said.append).go(journal(moves_of(SHADOWED)), None)
    assert (outcome.verb, outcome.journal.reason) == ("taken back", "as a shadow: it is worse")
    assert (service.serving.config, models(service), judge.kept) == ("before", [("old", 3)], 1)
    assert "update_endpoint" in service.calls
    assert "update_endpoint_weights_and_capacities" not in service.calls
    assert said[:1] and "shadow: it is shown 50 % of the requests, looked at for 10m" in said
    # One that is good is looked at once as a shadow, then in each stage; what is kept is found by the first look.
    judge = Judge()
    outcome = controller(Service(OLD), judge).go(journal(moves_of(SHADOWED)), None)
    assert judge.looked[0] == 0 and set(judge.looked) == {0, 1}
    assert outcome.journal.began is not None and outcome.journal.began < outcome.journal.looked[0][0]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", KILLED)
def test_killed_at_each_call_it_is_finished_by_the_next(name: str, when: str) -> None:
    for number in range(1, calls_of(name) + 1):
        service = Service(OLD, hook=killing(number, when))
        with pytest.raises(Killed):
            controller(service).go(journal(moves_of(name)), None)
        service.hook = lambda when, operation: None
        outcome = gone_on_with(service)
        assert outcome.verb == "shifted", (number, outcome.journal.reason)
        assert models(service) == [("new", 3)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", KILLED)
def test_killed_at_each_call_it_is_taken_back_by_the_next(name: str, when: str) -> None:
    for number in range(1, calls_of(name) + 1):
        service = Service(OLD, hook=killing(number, when))
        with pytest.raises(Killed):
            controller(service).go(journal(moves_of(name)), None)
        service.hook = lambda when, operation: None
        account: Any = service
        stored = journals.read(account, ENVIRONMENT, "churn")
        if stored is None:
            assert service.serving == OLD
            continue
        ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
        assert controller(service).back(ours, stored.etag, "it was aborted").verb == "taken back"
        assert (service.serving.config, models(service)) == ("before", [("old", 3)])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", KILLED)
def test_killed_on_the_way_back_it_comes_back_all_the_same(name: str, when: str) -> None:
    red = Judge(frozenset({0, 1}))
    for number in range(1, calls_of(name, red) + 1):
        service = Service(OLD, hook=killing(number, when))
        with pytest.raises(Killed):
            controller(service, red).go(journal(moves_of(name)), None)
        service.hook = lambda when, operation: None
        assert gone_on_with(service, judge=red).verb == "taken back"
        assert (service.serving.config, models(service)) == ("before", [("old", 3)])


@pytest.mark.parametrize("back", [False, True], ids=["its successor goes on", "its successor goes back"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["stepped", pytest.param("rolling", marks=pytest.mark.proof("shift"))])
def test_stopped_at_each_call_and_superseded_it_does_no_harm(name: str, when: str, back: bool) -> None:
    """It wakes when its successor has ended, makes the one call that it was about to make, and leaves everything as
    its successor did."""
    for number in range(2, calls_of(name) + 1):
        sleeper = Sleeper(name, number, when)
        service = sleeper.service
        account: Any = service
        stored = journals.read(account, ENVIRONMENT, "churn")
        assert stored is not None
        if stored.journal.is_over:  # it had nothing left to do but to end
            sleeper.wake()
            continue
        ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
        successor = controller(service)
        outcome = successor.back(ours, stored.etag, "it hangs") if back else successor.go(ours, stored.etag)
        assert outcome.verb == ("taken back" if back else "shifted")
        assert sleeper.wake() == "taken over"
        last = outcome.journal.moves[-1]
        assert isinstance(last, PointTo)
        expected = ("before", [("old", 3)]) if back else (last.serving.config, [("new", 3)])
        assert (service.serving.config, models(service)) == expected, number


class Sleeper:
    """A controller that is stopped at one of its calls, as by SIGSTOP."""

    def __init__(self, name: str, number: int, when: str) -> None:
        self._left, self._when = number, when
        self._asleep, self._woken = threading.Event(), threading.Event()
        self._ended = ""
        self.service = Service(OLD)
        self._thread = threading.Thread(target=self._run, args=(name,))
        self.service.hook = self._hook
        self._thread.start()
        assert self._asleep.wait(120)

    def wake(self) -> str:
        self._woken.set()
        self._thread.join()
        return self._ended

    def _run(self, name: str) -> None:
        self._ended = controller(self.service).go(journal(moves_of(name)), None).verb

    def _hook(self, at: str, operation: str) -> None:
        if at == self._when and threading.current_thread() is self._thread:
            self._left -= 1
            if self._left == 0:
                self._asleep.set()
                assert self._woken.wait(120)


def test_a_red_verdict_takes_it_back_and_says_why() -> None:
    for stage in (1, 2, 3, 4):
        service = Service(OLD)
        outcome = controller(service, Judge(frozenset({stage}))).go(journal(moves_of("stepped")), None)
        assert outcome.verb == "taken back" and f"stage {stage} " in str(outcome.journal.reason)
        assert (service.serving.config, models(service)) == ("before", [("old", 3)])


@pytest.mark.parametrize(("lasts", "until", "stages"), [("7d", "decided", 10.0), ("7d", "over", 7 * 86400.0)])
def test_a_test_ends_when_it_is_decided_or_over(lasts: str, until: str, stages: float) -> None:
    """Green at the first look; an unsure one lasts until its end, and goes back."""
    strategy = strategies()["ab"]
    moves = by_weights(
        strategy.course(strategy.settings(lasts=lasts, until=until), 3),
        OLD,
        variant("blue", "new"),
        {},
        count=3,
        prefix="churn-2",
    )
    service, time, said = Service(OLD), Time(), list[str]()
    outcome = controller(service, time=time, say=said.append).go(journal(moves), None)
    ((since, ended),) = outcome.journal.looked
    assert outcome.verb == "shifted" and ended - since <= stages and (ended - since >= 86400) is (until == "over")
    assert ("stage 1 is decided: it is as it is" in said) is (until == "decided")
    undecided = controller(Service(OLD), Judge(unsure=frozenset({1})), Time()).go(journal(moves), None)
    assert undecided.verb == "taken back" and "stage 1 (50 %) has no verdict" in (undecided.journal.reason or "")


def test_an_unsure_verdict_has_patience_and_no_more() -> None:
    time = Time()
    outcome = controller(Service(OLD), Judge(unsure=frozenset({2})), time).go(journal(moves_of("stepped")), None)
    assert outcome.verb == "taken back"
    assert "has no verdict: it is as it is; a longer bake or `patience` gives it time" in str(outcome.journal.reason)
    assert 1000 + 600 + 600 + 100 <= time.passed <= 1000 + 600 + 600 + 100 + 300


def test_what_does_not_start_changes_no_traffic() -> None:
    service = Service(OLD, broken=frozenset({"new"}))
    outcome = controller(service).go(journal(moves_of("stepped")), None)
    assert outcome.verb == "taken back" and "the model does not start" in str(outcome.journal.reason)
    assert (service.serving, service.calls.count("update_weights")) == (replace(OLD), 0)


SECRET = "ghp_" + "0" * 36
TRACEBACK = f"""c1 serves: it ended, exit code 1: Traceback (most recent call last):
  File "/opt/ml/model/code/inference.py", line 7, in model_fn
    load()
ValueError: DB_PASSWORD=hunter2-hunter2 {"x" * 262} {SECRET} is wrong
"""


@pytest.mark.parametrize("reason", ["DB_PASSWORD=hunter2-hunter2 is refused", f"the key {SECRET}", TRACEBACK])
def test_why_it_did_not_start_is_told_and_kept_without_secrets(reason: str) -> None:
    service, said, people = Service(OLD, broken=frozenset({"new"}), reason=reason), list[str](), list[str]()
    outcome = controller(service, say=said.append, tell=lambda happened, text, journal: people.append(text)).go(
        journal(moves_of("canary")), None
    )
    assert outcome.verb == "taken back" and "(hidden)" in str(outcome.journal.reason)
    told = "\n".join((*said, *people, str(outcome.journal.reason), *map(bytes.decode, service.objects.values())))
    assert "hunter2" not in told and "ghp_" not in told


def test_a_failed_smoke_test_comes_before_any_traffic() -> None:
    def probe(asked: str | None) -> None:
        raise Refusal(f"{asked} answers nothing")

    service = Service(OLD)
    outcome = controller(service, probe=probe).go(journal(moves_of("canary")), None)
    assert outcome.verb == "taken back" and outcome.journal.reason == "blue answers nothing"
    assert service.calls.count("update_weights") == 0


@pytest.mark.parametrize(
    ("wish", "verb", "looks"), [("pause", "paused", 1), ("abort", "taken back", 1), ("promote-now", "shifted", 1)]
)
def test_what_others_wish_is_heeded_at_the_next_look(wish: Any, verb: str, looks: int) -> None:
    service, time, judge = Service(OLD), Time(), Judge()
    account: Any = service

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        stored = journals.read(account, ENVIRONMENT, "churn")
        assert stored is not None
        if stored.journal.wish is None and judge.looked:
            changed = replace(stored.journal, wish=wish, wish_reason="lunch")
            journals.write(account, ENVIRONMENT, changed, stored.etag)

    clock = Clock(lambda: time.passed, sleep, lambda: time.passed)
    made = Controller(account, ENVIRONMENT, judge, lambda variant: None, timeout=60, clock=clock)
    outcome = made.go(journal(moves_of("stepped")), None)
    assert outcome.verb == verb
    if verb == "paused":
        assert service.serving.share("blue") == 5
        stored = journals.read(account, ENVIRONMENT, "churn")
        assert stored is not None
        ours = replace(stored.journal, wish=None, writer="b", fence=2)
        assert controller(service).go(ours, stored.etag).verb == "shifted"
    if verb == "taken back":
        assert outcome.journal.reason == "it was aborted: lunch"


def test_a_bake_that_was_begun_goes_on_and_does_not_begin_anew() -> None:
    service, time = Service(OLD), Time()
    seen: list[float] = []

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        seen.append(time.passed)
        if len(seen) == 1:
            raise Killed

    account: Any = service
    clock = Clock(lambda: time.passed, sleep, lambda: time.passed)
    with pytest.raises(Killed):
        Controller(account, ENVIRONMENT, Judge(), lambda variant: None, timeout=60, clock=clock).go(
            journal(moves_of("blue-green")), None
        )
    assert gone_on_with(service, time=time).verb == "shifted"
    assert time.passed - 1000 == pytest.approx(600, abs=301)


def test_two_at_once_one_goes_and_the_other_is_told() -> None:
    service = Service(OLD)
    moves = moves_of("canary")
    account: Any = service
    journals.write(account, ENVIRONMENT, journal(moves, "other"), None)
    outcome = controller(service).go(journal(moves), None)
    assert outcome.verb == "taken over" and outcome.journal.writer == "other"
    assert service.serving == OLD
