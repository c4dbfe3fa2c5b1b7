"""Feedback at work: signals are answered, and what was begun goes on, by one process at a time.

Each stage is written down when it is done, and may be done twice: an execution is started by a token, a promotion that
was cut off is finished by the next, a shift that is taken back already is none any more. Only a notice may come twice
where the process was killed between the two; it says which event it is about.
"""

from __future__ import annotations

import hashlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from mlops.account import answers
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.conductor import is_left, unfinished
from mlops.deploy.endpoints.promote import Target
from mlops.deploy.executions import following
from mlops.deploy.feedback.deciding import (
    ALARM_CHANGED,
    ASK_ROLLBACK,
    MONITORED,
    PROMOTE,
    ROLLBACK,
    TRAIN,
    Signal,
    begun,
    decide,
    next_stage,
    signal_of,
    values_of,
    wants_captures,
)
from mlops.deploy.models import lineage
from mlops.deploy.models.registry import version as version_of
from mlops.deploy.notify import send
from mlops.deploy.outcomes.ground_truth import prefix_of
from mlops.deploy.shifting.settings import endpoint_of
from mlops.ir import Listener, MlopsError, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.events import Event
from mlops.ir.feedback import Loop
from mlops.ir.hiding import hide_text
from mlops.ir.start_values import judge
from mlops.project.feedback import Feedback
from mlops.use_cases.approval import GIVEN, NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.endpoints import steer
from mlops.use_cases.feedback import declared, ids_of, is_of, is_protected, key_of, need_loops
from mlops.use_cases.news import Said
from mlops.use_cases.promote import Promotion, promote

EVERY_SECONDS = 5.0
_LONGEST_PAUSE = 300.0
_PAGE = 1000
_DESCRIPTION = 3072
"""botocore: PipelineExecutionDescription."""


def run(
    environment: str,
    listener: Listener,
    *,
    once: bool = False,
    until_done: bool = False,
    every: float = EVERY_SECONDS,
) -> Iterator[Loop]:
    """Loops as they change, until it is interrupted: ``once`` only what can be done now, ``until_done`` until nothing
    is left to do but to wait for people. Raises Refusal where somebody else is at it."""
    connected = connect_here(environment)
    with need_loops(connected).alone(environment) as alone:
        if not alone:
            raise Refusal("another process runs feedback here already; nothing was done")
        running = _Running(connected, listener)
        while True:
            changed = list(running.tick())
            yield from changed
            if not running.promotions and (once or (until_done and not changed and not running.trains())):
                return
            time.sleep(0.1 if once else every)


def switch(
    environment: str, listener: Listener, consent: Consent = NOBODY, *, command: Sequence[str] | None = None
) -> bool:
    """The account's clock starts ``command`` from now on whenever there is something for it to do, or nothing without.
    Whether that is new. Raises UsageError where nothing is declared."""
    connected = connect_here(environment)
    loops = need_loops(connected)
    need_consent(connected, "let the clock run feedback" if command else "keep the clock from feedback", consent)
    if command is None:
        return loops.switch_off(environment)
    if not declared(connected):
        raise UsageError(
            f"{environment} declares no feedback", hint=f"add [env.{environment}.feedback.NAME] to mlops.toml"
        )
    _Running(connected, listener).look()
    was = loops.is_on(environment)
    loops.switch_on(environment, command, connected.root)
    return not was


@dataclass(frozen=True, slots=True)
class _Went:
    """``stage`` is what follows, None where it waits as it is."""

    stage: str | None
    told: Mapping[str, Any] = field(default_factory=dict)


_WAITS = _Went(None)


@dataclass(slots=True)
class _Promotion:
    thread: threading.Thread
    went: _Went | str | None = None
    """A text where it is to be tried again, and why."""


class _Running:
    def __init__(self, connected: Connected, listener: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._connected = connected
        self._account = connected.account
        self._environment = connected.environment
        self._loops = need_loops(connected)
        self._listener = listener
        self._missing: set[str] = set()
        self._declared = declared(connected)
        self.promotions: dict[tuple[str, int], _Promotion] = {}
        self._again: dict[tuple[str, int], tuple[int, float]] = {}
        """How often a promotion could not go on, and when it is tried next."""

    def tick(self) -> Iterator[Loop]:
        self._declared = declared(self._connected)
        self._ask_alarms()
        for name, feedback in sorted(self._declared.items()):
            for signal in self._signals(name, feedback):
                loop = self._begin(name, feedback, signal)
                if loop is not None:
                    yield loop
        for loop in self._own():
            yield from self._go_on(loop)

    def look(self) -> None:
        """For the first time: what comes from now on counts."""
        for name, feedback in self._declared.items():
            self._signals(name, feedback)

    def trains(self) -> bool:
        return any(loop.state == TRAIN for loop in self._own())

    def _own(self) -> list[Loop]:
        """Those of this environment, also what is not declared any more and had begun."""
        return [loop for loop in self._loops.read() if is_of(self._environment, loop.feedback)]

    def _ask_alarms(self) -> None:
        """An alarm's state is worked out by whoever asks."""
        wanted = {item.alarm for item in self._declared.values() if item.alarm is not None}
        if not wanted:
            return
        with answers():
            reply = self._account.client("cloudwatch").describe_alarms(
                AlarmNames=sorted(wanted), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        found = (*reply.get("MetricAlarms", ()), *reply.get("CompositeAlarms", ()))
        missing = wanted - {str(item["AlarmName"]) for item in found}
        for name in sorted(missing - self._missing):
            self._say(f"there is no alarm {name} in {self._environment.name} yet")
        self._missing = missing

    def _signals(self, name: str, feedback: Feedback) -> list[Signal]:
        """Those behind the last one that was answered. What was before the first look counts where it holds still."""
        table = self._account.events
        kind, watched = feedback.watches
        if table is None:
            return []
        kinds, ids = ((ALARM_CHANGED,) if kind == "alarm" else (MONITORED,)), {kind: watched}
        before = self._loops.read(key_of(self._environment, name))
        after = before[-1].cause if before else 0
        found: list[Event] = []
        while page := table.read(after, kinds=kinds, ids=ids, limit=_PAGE):
            found += page
            after = page[-1].sequence or 0
        if not before:
            newest = found[-1:]
            holds = newest and signal_of(newest[0]) is not None
            now = datetime.now(UTC)
            at = (newest[0].sequence or 0) - (1 if holds else 0) if newest else 0
            self._loops.begin(Loop(key_of(self._environment, name), at, "watched", now, now), {})
            found = newest if holds else []
        return [signal for event in found if (signal := signal_of(event)) is not None]

    def _begin(self, name: str, feedback: Feedback, signal: Signal) -> Loop | None:
        now = datetime.now(UTC)
        signal = Signal(signal.cause, signal.at, hide_text(signal.why))
        name = key_of(self._environment, name)
        protected = is_protected(self._connected, feedback)
        decision = decide(name, feedback, signal, self._loops.read(), now, protected=protected)
        values: Mapping[str, str] = {}
        if decision.stages and feedback.pipeline is not None:
            captures = self._captures(feedback.endpoint or "") if wants_captures(feedback) else None
            labels = None if feedback.endpoint is None else prefix_of(self._environment, feedback.endpoint)
            values = values_of(feedback, signal, captures, labels)
        loop = begun(name, feedback, signal, decision, values, now)
        return loop if self._loops.begin(loop, ids_of(loop)) else None

    def _captures(self, endpoint: str) -> str | None:
        """The S3 prefix below which an endpoint's captured requests lie."""
        client = self._account.client("sagemaker")
        with answers():
            found = unless_missing(lambda: client.describe_endpoint(EndpointName=endpoint))
        config = (found or {}).get("DataCaptureConfig") or {}
        to = config.get("DestinationS3Uri")
        return f"{str(to).rstrip('/')}/{endpoint}/" if to else None

    def _go_on(self, loop: Loop) -> Iterator[Loop]:
        """As far as it goes without waiting."""
        while not loop.ended:
            went = self._stage(loop)
            if went.stage is None:
                return
            changed = self._loops.change(loop, went.stage, went.told, ids_of(_with(loop, went.told)))
            if changed is None:  # a person has answered meanwhile: it is looked at next time
                return
            loop = changed
            yield loop

    def _stage(self, loop: Loop) -> _Went:
        try:
            if loop.asks:
                return self._asking(loop)
            done = _STAGES[loop.state](self, loop)
        except MlopsError as error:
            return _Went("failed", {"verdict": f"{loop.state}: {hide_text(error.message)}"})
        return _Went(next_stage(loop.told["stages"], loop.state), done) if isinstance(done, dict) else done

    def _asking(self, loop: Loop) -> _Went:
        """Nobody is asked to take back what is not under way."""
        if loop.state != ASK_ROLLBACK:
            return _WAITS
        endpoint = str(loop.told["endpoint"])
        if unfinished(self._account, self._environment, endpoint) is not None:
            return _WAITS
        said = f"no shift of traffic is under way at {endpoint}"
        return _Went(next_stage(loop.told["stages"], ROLLBACK), {"rollback": said})

    def _notify(self, loop: Loop) -> dict[str, Any]:
        wanted = self._environment.notify
        if wanted is None:
            return {}
        subject = f"feedback {loop.feedback} in {self._environment.name}"
        does = ", ".join(stage for stage in loop.told["stages"] if stage != "notify") or "nothing else"
        text = f"{subject}: {loop.told['why']}; what follows: {does} (event {loop.cause})"
        told = {"kind": "feedback", "feedback": loop.feedback, "cause": loop.cause, "text": text}
        failures = send(self._account, wanted, subject, text, told, self._connected.root)
        for failure in failures:
            self._say(failure)
        return {"not_told": list(failures)} if failures else {}

    def _take_back(self, loop: Loop) -> dict[str, Any]:
        """Who declared it has said yes to it."""
        try:
            said = steer(
                self._environment.name, loop.told["endpoint"], "abort", self._listener, GIVEN, reason=loop.told["why"]
            )
        except Refusal as refusal:  # there is none, mostly
            said = refusal.message
        return {"rollback": said}

    def _start(self, loop: Loop) -> dict[str, Any]:
        pipeline, values = loop.told["pipeline"], loop.told["parameters"]
        definition = following.definition_of(self._account, pipeline, following.NEWEST)
        judge(definition, values)
        need_consent(self._connected, f"start {pipeline}", GIVEN)
        arn = following.start(
            self._account,
            self._environment,
            pipeline,
            values,
            token=hashlib.sha256(f"{pipeline}/{loop.feedback}/{loop.cause}".encode()).hexdigest(),
            described={
                "PipelineExecutionDisplayName": f"feedback-{loop.cause}",
                "PipelineExecutionDescription": f"feedback {loop.feedback}: {loop.told['why']}"[:_DESCRIPTION],
            },
        )
        return {"execution": arn}

    def _train(self, loop: Loop) -> dict[str, Any] | _Went:
        state = following.describe(self._account, loop.told["execution"])
        if not state.ended:
            return _WAITS
        if state.status != "Succeeded":
            why = f": {state.failure}" if state.failure else ""
            return _Went("failed", {"verdict": f"the execution {state.id} is {state.status}{why}"})
        group = loop.told.get("group")
        if group is None:
            return {}
        arns = [str(step.metadata.get("RegisterModel", {}).get("Arn", "")) for step in state.steps]
        numbers = [int(arn.rpartition("/")[2]) for arn in arns if f":model-package/{group}/".lower() in arn.lower()]
        if not numbers:
            return _Went("failed", {"verdict": f"the execution {state.id} registered no version of {group}"})
        number = max(numbers)
        lineage.record(self._account, self._environment, version_of(self._account, group, number))
        return {"version": number}

    def _promote(self, loop: Loop) -> dict[str, Any] | _Went:
        """In a thread: it may take hours, and a shift may have to be taken back meanwhile."""
        key = (loop.feedback, loop.cause)
        running = self.promotions.get(key)
        if running is not None:
            if running.thread.is_alive():
                return _WAITS
            del self.promotions[key]
            if isinstance(running.went, _Went):
                return running.went
            return self._tried_again(loop, running.went or "it ended without a word")
        if key in self._again and self._clock() < self._again[key][1]:
            return _WAITS
        group, number = loop.told["group"], int(loop.told["version"])
        found = version_of(self._account, group, number)
        if found.approval == "Rejected":
            return _Went("refused", {"verdict": f"version {number} of {group} was rejected"})
        if found.approval != "Approved":
            return _WAITS
        endpoint = endpoint_of(self._environment, group)
        entries = history.read(self._account, self._environment, endpoint)
        mine = history.of_version(entries, group, number, found.arn)
        if mine and mine[-1].verb in history.BACK:
            return _Went("refused", {"verdict": f"version {number} of {group} was {mine[-1].verb}"})
        stored = unfinished(self._account, self._environment, endpoint)
        if stored is not None and (stored.journal.wish == "pause" or not is_left(stored)):
            return _WAITS
        promotion = _Promotion(threading.Thread(target=lambda: None))
        promotion.thread = threading.Thread(
            target=lambda: self._promoted(promotion, group, number, endpoint), name=f"promotion of {group}", daemon=True
        )
        self.promotions[key] = promotion
        promotion.thread.start()
        return _WAITS

    def _tried_again(self, loop: Loop, why: str) -> _Went:
        """Later and later; told once, as long as it is for the same reason."""
        key = (loop.feedback, loop.cause)
        times, _ = self._again.get(key, (0, 0.0))
        self._again[key] = times + 1, self._clock() + min(2.0 ** min(times, 10), _LONGEST_PAUSE)
        verdict = f"it is tried again: {why}"
        if loop.told.get("verdict") == verdict:
            return _WAITS
        self._say(f"feedback {loop.feedback}: {verdict}")
        return _Went(loop.state, {"verdict": verdict})

    def _promoted(self, promotion: _Promotion, group: str, number: int, endpoint: str) -> None:
        try:
            promotion.went = self._promotion(group, number, endpoint)
        except Exception as error:  # what nobody foresaw is no reason to begin anew each second
            traceback.print_exc()
            promotion.went = f"{type(error).__name__}: {hide_text(str(error))}"

    def _promotion(self, group: str, number: int, endpoint: str) -> _Went | str:
        """What was begun and has not ended is gone on with."""
        request = Promotion(group, self._environment.name, Target(""), number)
        try:
            done = promote(request, self._listener, GIVEN)
        except MlopsError as error:
            if unfinished(self._account, self._environment, endpoint) is not None:
                return hide_text(error.message)
            state = "refused" if isinstance(error, Refusal) else "failed"
            return _Went(state, {"verdict": hide_text(error.message)})
        verb = "serves already" if done.action == "unchanged" else "serves"
        return _Went("done", {"verdict": f"{done.endpoint} {verb} version {number} of {group}"})

    def _say(self, text: str) -> None:
        self._listener(Said(text=text))


def _with(loop: Loop, told: Mapping[str, Any]) -> Loop:
    return Loop(loop.feedback, loop.cause, loop.state, loop.created, loop.modified, {**loop.told, **told})


_STAGES: Mapping[str, Callable[[_Running, Loop], dict[str, Any] | _Went]] = {
    "notify": _Running._notify,
    "rollback": _Running._take_back,
    "start": _Running._start,
    TRAIN: _Running._train,
    PROMOTE: _Running._promote,
}
