"""Takes a shift through its moves, or back: each move is intended in the journal, done, and seen to be so.

Whoever holds the journal's last word acts. Before each move the endpoint is brought to what the moves before it led to,
so that what a superseded controller still did is repaired by its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.made import remember
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting.journal import Journal, Phase, Superseded
from mlops.deploy.shifting.lost_answers import made_config, pointed
from mlops.deploy.shifting.moves import both_of, way_back
from mlops.deploy.shifting.scaled_moves import in_the_end, restored
from mlops.deploy.shifting.seeing import FAILED, IN_SERVICE, MIXED, Endpoint, until_settled
from mlops.deploy.waiting import Clock
from mlops.ir import MlopsError, Refusal
from mlops.ir.duration import said
from mlops.ir.hiding import hide_text
from mlops.ir.shift import (
    Bake,
    CallHooks,
    MakeConfig,
    Mirror,
    Move,
    PointTo,
    Probe,
    RemoveScaling,
    RestoreScaling,
    Scale,
    Scaling,
    Serving,
    SuspendScaling,
    Weigh,
    after,
    after_all,
)
from mlops.project.environments import Environment

Say = Callable[[str], None]
_REPAIRS = 5
"""Of what others do to the endpoint meanwhile; then somebody works against us."""
_LONGEST_REASON = 1023
"""Of an alarm's state (botocore: StateReason)."""


Happened = Literal["start", "stage", "verdict", "rollback", "end"]


class Red(Exception):
    """The new version is not to go on; the text is a clause that says why. It is told, kept and sent: what looks like a
    secret in it is hidden."""

    def __init__(self, why: str) -> None:
        super().__init__(hide_text(why))


class Aborted(Red):
    """Somebody wishes it, whatever is seen of the version."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``standing`` of a stage until now: ``green`` is enough to go on when the bake is over, ``unsure`` is not.
    ``silent``: it is unsure because nothing was measured."""

    standing: Literal["green", "red", "unsure"]
    why: str
    silent: bool = False


class Judge(Protocol):
    @property
    def interval(self) -> float:
        """Seconds between two looks."""

    @property
    def patience(self) -> float:
        """Seconds that a bake may last longer while its verdict is unsure."""

    def look(self, bake: Bake, since: float, now: float, before: Sequence[tuple[float, float]]) -> Verdict:
        """Times in seconds since 1970. ``before`` are beginning and end of the stages that have ended."""

    def look_at_shadow(self, mirror: Mirror, since: float, now: float) -> Verdict:
        """At what a shadow answers beside what serves."""

    def keep(self, by_people: Sequence[str]) -> None:
        """Write down what was seen, at the end of a stage, and what people did. Never raises for what goes wrong in the
        account."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``left`` is a shift that somebody else goes on with, or may: it was paused, or taken over."""

    verb: Literal["shifted", "taken back", "paused", "taken over"]
    journal: Journal


class Controller:
    def __init__(
        self,
        account: Account,
        environment: Environment,
        judge: Judge,
        probe: Callable[[str | None], None],
        *,
        timeout: float,
        hooks: Callable[[CallHooks, Journal], None] = lambda move, journal: None,
        tell: Callable[[Happened, str, Journal], None] = lambda happened, text, journal: None,
        record: Callable[[Journal], None] = lambda journal: None,
        say: Say = lambda text: None,
        clock: Clock | None = None,
    ) -> None:
        """``hooks`` calls the user's own, and raises Red where one that fails is to end it. ``tell`` hears what people
        may want to be told elsewhere, and neither waits nor fails. ``record`` writes the end down where it stays, and
        once however often it is asked: it is asked before the journal says that the shift has ended, so that whoever
        finishes one that was cut off between asks again.
        ``probe`` asks a variant the version's samples, or the endpoint, and raises Refusal where an answer is none.
        ``timeout`` in seconds is for each wait for the endpoint."""
        self._account = account
        self._environment = environment
        self._sagemaker: Any = account.client("sagemaker")
        self._judge = judge
        self._probe = probe
        self._hooks = hooks
        self._tell = tell
        self._record = record
        self._timeout = timeout
        self._say = say
        self._clock = clock or Clock()
        self._etag: str | None = None
        self._yields = False
        self._journal: Journal

    def go(self, journal: Journal, etag: str | None) -> Outcome:
        """From where the journal stands to its end. ``etag`` is that of the stored one, None for the first."""
        self._journal, self._etag = journal, etag
        try:
            self._write(journal)
            if journal.phase == "shifting":
                try:
                    return self._forward()
                except Red as red:
                    return self._back(str(red), aborted=isinstance(red, Aborted))
            return self._back(journal.reason or "it was being taken back")
        except Superseded:
            return Outcome("taken over", self._yield())
        except MlopsError:
            if self._is_superseded():
                return Outcome("taken over", self._yield())
            raise

    def back(self, journal: Journal, etag: str | None, reason: str) -> Outcome:
        """Whatever the journal's state."""
        self._journal, self._etag = journal, etag
        try:
            return self._back(reason)
        except Superseded:
            return Outcome("taken over", self._yield())

    # Forward.

    def _forward(self) -> Outcome:
        while self._journal.done < len(self._journal.moves):
            paused = self._heed()
            if paused:
                return Outcome("paused", self._journal)
            move = self._journal.moves[self._journal.done]
            if isinstance(move, PointTo) and move.deployment:
                with answers():
                    self._attended(move)
            expected = self._expected()
            # Of one that was cut off the next move may have been made already.
            self._hold(expected, after(expected, move))
            since = self._since(move)
            began = self._journal.began
            if began is None and isinstance(move, Bake | Mirror):
                began = since
            self._write(replace(self._journal, since=since, began=began))
            looked = self._journal.looked
            if isinstance(move, Bake | Mirror):
                try:
                    ended = self._bake(move)
                except Red:
                    self._judge.keep(self._journal.by_people)
                    raise
                self._judge.keep(self._journal.by_people)
                if ended is None:
                    continue
                if isinstance(move, Bake):
                    looked = (*looked, ended)
            else:
                self._do_behind_others(move, expected)
            self._write(replace(self._journal, done=self._journal.done + 1, since=None, looked=looked))
        self._hold(self._expected())
        self._hold_scaling(in_the_end(self._journal.scaling, self._expected()))
        self._end("shifted")
        return Outcome("shifted", self._journal)

    def _since(self, move: Move) -> float | None:
        """A bake that was begun goes on, it does not begin anew; and of a deployment by the service it is to be known
        whether it was begun."""
        if not isinstance(move, Bake | Mirror) and not (isinstance(move, PointTo) and move.deployment):
            return None
        return self._journal.since if self._journal.since is not None else self._clock.wall()

    def _expected(self) -> Serving:
        """What serves when the moves that are done have ended."""
        return after_all(self._journal.old, self._journal.moves[: self._journal.done])

    def _heed(self) -> bool:
        """What somebody wishes; whether it is to pause."""
        journal = self._journal
        if journal.wish == "abort":
            raise Aborted(f"it was aborted{f': {journal.wish_reason}' if journal.wish_reason else ''}")
        return journal.wish == "pause"

    def _bake(self, bake: Bake | Mirror) -> tuple[float, float] | None:
        """When it began and was looked at last; None where it is to pause."""
        since = self._journal.since
        assert since is not None  # noqa: S101 - it was written before
        stage, share = _named(bake)
        begun = f"{stage}: {share}, looked at for {said(bake.seconds)}"
        self._say(begun)
        self._tell("stage", begun, self._journal)
        while True:
            now = self._clock.wall()
            verdict = self._look(bake, since, now)
            if verdict.standing == "red":
                self._tell("verdict", f"{stage} is red: {verdict.why}", self._journal)
                raise Red(f"{_called(bake)}: {verdict.why}")
            if self._journal.wish is not None:
                if self._heed():
                    return None
                if self._journal.wish == "promote-now":
                    self._say(f"{stage} is cut short: somebody wishes it")
                    cut = f"{_called(bake)} after {said(max(0, round(now - since)))} of {said(bake.seconds)}"
                    self._journal = replace(self._journal, cut_short=(*self._journal.cut_short, cut))
                    return since, now
            left = since + bake.seconds - now
            if isinstance(bake, Bake) and bake.until_decided and left > 0 and verdict.standing == "green":
                self._say(f"stage {bake.stage} is decided: {verdict.why}")
                self._tell("verdict", f"stage {bake.stage} is decided: {verdict.why}", self._journal)
                return since, now
            if left <= 0:
                if verdict.standing == "green":
                    self._say(f"{stage}: {verdict.why}")
                    self._tell("verdict", f"{stage} is green: {verdict.why}", self._journal)
                    return since, now
                left += self._judge.patience
                if left <= 0:
                    longer = "time" if isinstance(bake, Mirror) else "bake"
                    none = "without traffic there is none, and " if verdict.silent else ""
                    raise Red(
                        f"{_called(bake)} has no verdict: {verdict.why}; {none}a longer {longer} or `patience` gives "
                        "it time"
                    )
            self._clock.sleep(max(0.0, min(self._interval(bake), left)))
            self._renew()
            self._hold(self._expected())

    def _interval(self, bake: Bake | Mirror) -> float:
        if isinstance(bake, Mirror):
            # Soon enough for a short one; a week has no more looks than a thousand.
            return max(1.0, min(10.0, bake.seconds / 20), bake.seconds / 1000)
        return self._judge.interval

    def _look(self, bake: Bake | Mirror, since: float, now: float) -> Verdict:
        if isinstance(bake, Mirror):
            return self._judge.look_at_shadow(bake, since, now)
        return self._judge.look(bake, since, now, self._journal.looked)

    # Back.

    def _back(self, reason: str, *, aborted: bool = False) -> Outcome:
        if self._journal.phase != "going back":
            self._say(f"taking {self._journal.endpoint} back: {reason}")
            self._tell("rollback", f"{self._journal.endpoint} is taken back: {reason}", self._journal)
            going_back = replace(
                self._journal, phase="going back", reason=reason, aborted=aborted, since=None, wish=None
            )
            self._write(going_back)
        old, moves = self._journal.old, self._journal.moves
        under_way = moves[self._journal.done] if self._journal.done < len(moves) else None
        for _ in range(_REPAIRS):
            if isinstance(under_way, PointTo) and under_way.deployment:
                endpoint = self._attended(under_way, stop=reason)
            else:
                endpoint = self._settled()
            if endpoint is None or endpoint.serving is None:
                raise Refusal(
                    f"the endpoint {self._journal.endpoint} is {'gone' if endpoint is None else endpoint.status}, and "
                    f"cannot be taken back to {old.config}; it was to be, because {reason}",
                    hint="promote a version that is good; an endpoint that failed is made anew",
                )
            moves = way_back(
                endpoint.serving,
                old,
                both=both_of(self._journal.moves, old),
                live=self._scaled(endpoint.serving),
                scalings=self._journal.scaling,
            )
            if endpoint.status == MIXED:
                moves = (PointTo(old), *(move for move in moves if not isinstance(move, PointTo)))
            if not moves:
                # When all traffic is back: nothing of the user's own is waited for before.
                self._hooks(CallHooks("rollback"), self._journal)
                self._end("taken back")
                return Outcome("taken back", self._journal)
            for move in moves:
                self._write(self._journal)
                try:
                    self._do(move)
                except Red as red:
                    self._say(f"the way back: {red}")
                    break
                except Refused as refused:
                    if self._journal.fence == 1:
                        raise
                    # Whoever was superseded has moved it behind our look: the way is another one.
                    self._say(f"the way back: {refused.message}")
                    break
        show = f"`mlops endpoints show {self._journal.endpoint}{self._environment.option}`"
        raise Refusal(
            f"the endpoint {self._journal.endpoint} does not come back to {old.config}; it was to, because {reason}",
            hint=f"{show}; the same command again goes on",
        )

    # One move.

    def _do_behind_others(self, move: Move, expected: Serving) -> None:
        """Once more where whoever was superseded has moved the endpoint behind our look, so that it is refused."""
        try:
            self._do(move)
        except Refused:
            if self._journal.fence == 1:
                raise
            self._hold(expected, after(expected, move))
            self._do(move)

    def _do(self, move: Move) -> None:
        name = self._journal.endpoint
        with answers():
            match move:
                case MakeConfig():
                    self._make(move)
                case PointTo():
                    self._point(move)
                case Probe(variant):
                    try:
                        self._probe(variant)
                    except Refusal as refusal:
                        raise Red(refusal.message) from refusal
                case Scale():
                    wanted = {"VariantName": move.variant, "DesiredInstanceCount": move.count}
                    self._say(f"{name}: {move.variant} to {move.count} instance{'s' if move.count != 1 else ''}")
                    self._change([wanted])
                case CallHooks():
                    self._hooks(move, self._journal)
                case SuspendScaling() | RemoveScaling() | RestoreScaling():
                    autoscaling.change(self._account, name, move, self._say, self._go_on)
                case Weigh():
                    told = ", ".join(f"{variant} {weight:g}" for variant, weight in move.weights.items())
                    self._say(f"{name}: traffic {told}")
                    self._change(
                        [{"VariantName": item, "DesiredWeight": weight} for item, weight in move.weights.items()]
                    )

    def _make(self, move: MakeConfig) -> None:
        remember(self._account, self._environment, "configs", move.config)
        if made_config(self._sagemaker, move.config, move.request):
            self._say(f"endpoint configuration {move.config}")

    def _point(self, move: PointTo) -> None:
        name, config = self._journal.endpoint, move.serving.config
        there = self._settled()
        if there is not None and (there.status, there.config) == (IN_SERVICE, config):
            return
        if there is not None and self._was_rolled_back(move, there):
            raise Red(f"SageMaker has taken it back by itself: {there.failure}")
        came = self._pointed(move)
        if came is not None and (came.status, came.config) != (IN_SERVICE, config) and self._was_moved(came):
            self._say(f"{name} is at {came.config}: by the last call of whoever was superseded")
            came = self._pointed(move)
        if came is None:
            raise Red("the endpoint was deleted meanwhile")
        if (came.status, came.config) != (IN_SERVICE, config):
            self._heed()
            told = f": {came.failure}" if came.failure else ""
            raise Red(f"it did not come to {config}, and is {came.status} with {came.config}{told}")

    def _was_moved(self, came: Endpoint) -> bool:
        """By the one call that a superseded controller may make behind ours: no failure is told of, and that happens
        once."""
        return self._journal.fence > 1 and came.status == IN_SERVICE and not came.failure

    def _pointed(self, move: PointTo) -> Endpoint | None:
        """What it came to."""
        name, config = self._journal.endpoint, move.serving.config
        self._say(f"{name} goes to {config}")
        deployment = {"DeploymentConfig": dict(move.deployment)} if move.deployment else {}
        try:
            with answers():
                pointed(
                    lambda: self._sagemaker.update_endpoint(
                        EndpointName=name,
                        EndpointConfigName=config,
                        RetainAllVariantProperties=move.retain,
                        **(deployment or _weighed_anew(move.serving, retain=move.retain)),
                    ),
                    self._sagemaker,
                    name,
                    config,
                )
        except Refused as refused:
            # Nothing was begun, and the same call would be refused again.
            if deployment and refused.code == "ValidationException":
                raise Red(f"SageMaker refuses it: {refused.said}") from refused
            raise
        return self._attended(move) if deployment else self._settled()

    # A deployment by the service's guardrails.

    def _attended(self, move: PointTo, stop: str | None = None) -> Endpoint | None:
        """What it came to. While it is under way the journal says that somebody is at it, and what others wish is
        heard; with ``stop`` it is to end, for that reason."""
        told = list[str]()

        def say_once(text: str) -> None:
            if text not in told:
                told.append(text)
                self._say(text)

        def hear(state: Endpoint) -> None:
            if state.is_settled:
                return
            for line in state.progress:
                say_once(f"{self._journal.endpoint}: {line}")
            self._renew()
            wished = self._journal.wish_reason or "somebody wishes it" if self._journal.wish == "abort" else None
            if (reason := stop or wished) is not None and state.status == "Updating":
                self._stop(move, reason, say_once)

        return self._settled(_limit(move), hear)

    def _stop(self, move: PointTo, reason: str, say: Say) -> None:
        """The service has no call that ends a deployment: it goes back while an alarm rings that it watches."""
        name = self._journal.endpoint
        alarms = ((move.deployment or {}).get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
        if not alarms:
            say(f"no alarm watches {name}, so SageMaker cannot be told to stop; it is taken back when that has ended")
            return
        alarm = alarms[0]["AlarmName"]
        say(f"{name}: the alarm {alarm} is set to ALARM, so that SageMaker goes back")
        self._account.client("cloudwatch").set_alarm_state(
            AlarmName=alarm, StateValue="ALARM", StateReason=f"{name} is to go back: {reason}"[:_LONGEST_REASON]
        )

    def _was_rolled_back(self, move: PointTo, there: Endpoint) -> bool:
        """By the service, while nobody was at it: its failure is younger than our intent."""
        since, modified = self._journal.since, there.modified
        if not move.deployment or not there.failure or since is None or modified is None:
            return False
        return modified >= since

    def _change(self, wanted: list[dict[str, Any]]) -> None:
        self._settled()
        self._sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self._journal.endpoint, DesiredWeightsAndCapacities=wanted
        )
        came = self._settled()
        if came is None or came.status == FAILED:
            raise Red("the endpoint was deleted meanwhile" if came is None else f"it failed: {came.failure or ''}")

    def _hold(self, wanted: Serving, following: Serving | None = None) -> None:
        """Bring the endpoint to what it should be where somebody else, or an earlier call of ours, made it
        otherwise; what is ``following`` anyway is left. Counts are left alone, since scaling may have changed them, but
        for those that an earlier call of this shift gave."""
        for _ in range(_REPAIRS):
            with answers():
                there = self._settled()
            if there is None or there.serving is None:
                raise Red("the endpoint was deleted meanwhile" if there is None else f"it is {there.status}")
            if _same(there.serving, wanted) or (following is not None and _same(there.serving, following)):
                late = self._late(there.serving, wanted, following)
                if late is None:
                    return
                self._write(self._journal)
                self._do(late)
                continue
            if there.config != wanted.config:
                self._say(f"{self._journal.endpoint} is at {there.config} and should be at {wanted.config}")
                self._write(self._journal)
                self._do(PointTo(wanted))
            else:
                self._write(self._journal)
                self._do(Weigh({variant.name: variant.weight for variant in wanted.variants}, 0.0))
        raise Red(f"somebody else changes it too: it does not stay at {wanted.config}")

    def _late(self, there: Serving, wanted: Serving, following: Serving | None) -> Scale | None:
        """What takes back a count that whoever was superseded gave behind one of ours."""
        if self._journal.fence == 1:
            return None
        given = {(move.variant, move.count) for move in self._journal.moves if isinstance(move, Scale)}
        for live in there.variants:
            counts = [item.count for of in (wanted, following) if of for item in of.variants if item.name == live.name]
            first = next(iter(counts), None)
            if first is not None and live.count not in counts and (live.name, live.count) in given:
                return Scale(live.name, first)
        return None

    def _hold_scaling(self, wanted: Sequence[Scaling]) -> None:
        """What was suspended goes on, also where a call of somebody superseded came between."""
        if not wanted:
            return
        with answers():
            live = autoscaling.see(self._account, self._journal.endpoint, [item.variant for item in wanted])
        for move in restored(wanted, live):
            self._do(move)

    def _scaled(self, serving: Serving) -> tuple[Scaling, ...]:
        """What scales it by now; nobody is asked where nothing did when the shift was begun."""
        if not self._journal.scaling:
            return ()
        with answers():
            return autoscaling.see(self._account, self._journal.endpoint, serving.names)

    def _settled(self, more: float = 0.0, heard: Callable[[Endpoint], None] = lambda state: None) -> Endpoint | None:
        """``more`` seconds may go by beside the time-out; ``heard`` hears of each look. None where it is gone. Raises
        Refusal after the time-out:
        what is under way then is finished by the next that comes."""
        name = self._journal.endpoint
        deadline = self._clock.now() + self._timeout + more
        found, ended = until_settled(self._sagemaker, name, self._clock, deadline, heard)
        if not ended and found is not None:
            raise Refusal(
                f"the endpoint {name} is still {found.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on",
            )
        return found

    # The journal.

    def _write(self, journal: Journal) -> None:
        """With what others wish meanwhile: they change the journal too, and leave its number."""
        journal = replace(journal, at=journals.moment())
        with answers():
            try:
                self._etag = journals.write(self._account, self._environment, journal, self._etag)
            except Superseded:
                stored = journals.read(self._account, self._environment, journal.endpoint)
                if stored is None or not stored.journal.is_of(journal):
                    raise
                theirs = stored.journal
                journal = replace(journal, wish=theirs.wish, wish_reason=theirs.wish_reason, steered=theirs.steered)
                self._etag = journals.write(self._account, self._environment, journal, stored.etag)
        self._journal = journal

    def _is_superseded(self) -> bool:
        """What a successor has done may be why the account refuses our call."""
        with answers():
            stored = journals.read(self._account, self._environment, self._journal.endpoint)
        return stored is None or not stored.journal.is_of(self._journal)

    def _end(self, phase: Phase) -> None:
        ended = replace(self._journal, phase=phase)
        # Who was superseded does not say how it ended.
        self._renew()
        self._record(ended)
        self._write(replace(self._journal, phase=phase))
        if self._journal.fence > 1:
            self._see_after()

    def _see_after(self) -> None:
        """The call that whoever was superseded was about to make may have come between our last look and our last
        word. If it comes later, they see that we have ended, and take it back."""
        journal = self._journal
        wanted = after_all(journal.old, journal.moves) if journal.phase == "shifted" else journal.old
        self._give_back(wanted)
        self._hold_scaling(in_the_end(journal.scaling, wanted))
        there = self._settled()
        if there is None or there.serving is None or there.config != wanted.config:
            return
        for _ in wanted.variants:
            late = self._late(there.serving, wanted, None)
            if late is None:
                return
            self._do(late)
            there = self._settled()
            if there is None or there.serving is None:
                return

    def _go_on(self) -> None:
        """Between two calls of one move; who was superseded and takes back what it did has nothing to ask."""
        if not self._yields:
            self._renew()

    def _renew(self) -> None:
        self._write(self._journal)

    def _yield(self) -> Journal:
        """What the successor's journal says. Where that has ended already, the call that we may have made since is
        taken back: nobody else would."""
        self._yields = True
        with answers():
            stored = journals.read(self._account, self._environment, self._journal.endpoint)
        if stored is None:
            return self._journal
        theirs = stored.journal
        if theirs.is_over:
            wanted = after_all(theirs.old, theirs.moves) if theirs.phase == "shifted" else theirs.old
            self._give_back(wanted)
            self._hold_scaling(in_the_end(theirs.scaling, wanted))
        return theirs

    def _give_back(self, wanted: Serving) -> None:
        name = self._journal.endpoint
        there = self._settled()
        if there is None or there.serving is None:
            return
        if there.config != wanted.config:
            self._say(f"{name} was taken over meanwhile; it goes to {wanted.config}, as that ended")
            with answers():
                self._sagemaker.update_endpoint(
                    EndpointName=name,
                    EndpointConfigName=wanted.config,
                    RetainAllVariantProperties=True,
                    **_weighed_anew(wanted, retain=True),
                )
            self._settled()
        done = self._journal.done
        ours = self._journal.moves[done] if done < len(self._journal.moves) else None
        if isinstance(ours, Scale):
            for live in there.serving.variants:
                count = next((item.count for item in wanted.variants if item.name == live.name), None)
                if live.name == ours.variant and live.count == ours.count != count and count is not None:
                    self._do(Scale(live.name, count))


def _named(looking: Bake | Mirror) -> tuple[str, str]:
    """What it is, and what has it."""
    if isinstance(looking, Mirror):
        return "shadow", f"it is shown {looking.share:g} % of the requests"
    return f"stage {looking.stage}", f"{looking.share:g} % of the traffic"


def _called(looking: Bake | Mirror) -> str:
    if isinstance(looking, Mirror):
        return "as a shadow"
    return f"stage {looking.stage} ({looking.share:g} %)"


def _weighed_anew(serving: Serving, *, retain: bool) -> dict[str, Any]:
    """What serves alone has the weight of its configuration: the live one may be 0, where somebody else's call came
    between, and then traffic would go to nothing."""
    if not retain or len(serving.variants) != 1:
        return {}
    return {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]}


def _limit(move: PointTo) -> float:
    """How long the service may take for it, in seconds."""
    policies = (move.deployment or {}).values()
    return float(sum(policy.get("MaximumExecutionTimeoutInSeconds", 0) for policy in policies))


def _same(there: Serving, wanted: Serving) -> bool:
    return (there.config, there.names) == (wanted.config, wanted.names) and all(
        abs(there.share(name) - wanted.share(name)) < 0.01 for name in wanted.names
    )
