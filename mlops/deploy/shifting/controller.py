"""Takes a shift through its moves, or back: each move is intended in the journal, done, and seen to be so.

Whoever holds the journal's last word acts. Before each move the endpoint is brought to what the moves before it led to,
so that what a superseded controller still did is repaired by its successor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting.journal import Journal, Phase, Superseded
from mlops.deploy.shifting.journal_writer import JournalWriter
from mlops.deploy.shifting.mover import Mover
from mlops.deploy.shifting.moves import both_of, way_back
from mlops.deploy.shifting.red import Aborted, Red
from mlops.deploy.shifting.repair import REPAIRS, Repair
from mlops.deploy.shifting.scaled_moves import in_the_end
from mlops.deploy.shifting.seeing import MIXED
from mlops.deploy.shifting.verdict import Judge, Verdict
from mlops.deploy.waiting import Clock
from mlops.ir import MlopsError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said
from mlops.ir.saying import Say
from mlops.ir.shift import (
    Bake,
    CallHooks,
    Mirror,
    Move,
    PointTo,
    Scaling,
    Serving,
    after,
    after_all,
)
from mlops.project.environments import Environment

_SLEPT_SECONDS = 5.0
"""By which the clock may go on between two looks, beside what a clock that is set right now and then is moved."""
Happened = Literal["start", "stage", "verdict", "rollback", "end"]


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
        self._judge = judge
        self._hooks = hooks
        self._tell = tell
        self._record = record
        self._say = say
        self._clock = clock = clock or Clock()
        self._writer = JournalWriter(account, environment)
        self._mover = Mover(account, environment, self._writer, probe, hooks, timeout=timeout, say=say, clock=clock)
        self._repair = Repair(account, self._writer, self._mover, say)

    @property
    def _journal(self) -> Journal:
        return self._writer.journal

    def go(self, journal: Journal, etag: str | None) -> Outcome:
        """From where the journal stands to its end. ``etag`` is that of the stored one, None for the first."""
        self._writer.begin(journal, etag)
        try:
            self._writer.write(journal)
            if journal.phase == "shifting":
                try:
                    return self._forward()
                except Red as red:
                    return self._back(str(red), aborted=isinstance(red, Aborted))
            return self._back(journal.reason or "it was being taken back")
        except Superseded:
            return Outcome("taken over", self._yield())
        except MlopsError:
            if self._writer.is_superseded():
                return Outcome("taken over", self._yield())
            raise

    def back(self, journal: Journal, etag: str | None, reason: str) -> Outcome:
        """Whatever the journal's state."""
        self._writer.begin(journal, etag)
        try:
            return self._back(reason)
        except Superseded:
            return Outcome("taken over", self._yield())

    # Forward.

    def _forward(self) -> Outcome:
        while self._journal.done < len(self._journal.moves):
            paused = self._writer.heed()
            if paused:
                return Outcome("paused", self._journal)
            move = self._journal.moves[self._journal.done]
            if isinstance(move, PointTo) and move.deployment:
                with answers():
                    self._mover.attended(move)
            expected = self._expected()
            # Of one that was cut off the next move may have been made already.
            self._repair.hold(expected, after(expected, move))
            since = self._since(move)
            began = self._journal.began
            if began is None and isinstance(move, Bake | Mirror):
                began = since
            self._writer.write(replace(self._journal, since=since, began=began))
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
                self._repair.do_behind_others(move, expected)
            self._writer.write(replace(self._journal, done=self._journal.done + 1, since=None, looked=looked))
        self._repair.hold(self._expected())
        self._repair.hold_scaling(in_the_end(self._journal.scaling, self._expected()))
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

    def _bake(self, bake: Bake | Mirror) -> tuple[float, float] | None:
        """When it began and was looked at last; None where it is to pause."""
        since = self._journal.since
        assert since is not None  # noqa: S101 - it was written before
        stage, share = _named(bake)
        begun = f"{stage}: {share}, looked at for {said(bake.seconds)}"
        self._say(begun)
        self._tell("stage", begun, self._journal)
        ahead = self._clock.wall() - self._clock.now()
        while True:
            now = self._clock.wall()
            ahead = self._heed_the_clock(ahead, now)
            verdict = self._look(bake, since, now)
            if verdict.standing == "red":
                self._tell("verdict", f"{stage} is red: {verdict.why}", self._journal)
                raise Red(f"{_called(bake)}: {verdict.why}")
            if self._journal.wish is not None:
                if self._writer.heed():
                    return None
                if self._journal.wish == "promote-now":
                    self._say(f"{stage} is cut short: somebody wishes it")
                    cut = f"{_called(bake)} after {said(max(0, round(now - since)))} of {said(bake.seconds)}"
                    self._writer.journal = replace(self._journal, cut_short=(*self._journal.cut_short, cut))
                    return since, now
            left = since + bake.seconds + self._judge.asleep(since, now) - now
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
            self._writer.renew()
            self._repair.hold(self._expected())

    def _heed_the_clock(self, before: float, now: float) -> float:
        """How far the wall's clock is ahead of the one that stands while a machine sleeps. Where that is more than it
        was ``before``, the time between was none under traffic that anybody looked at."""
        ahead = now - self._clock.now()
        gone = ahead - before
        if gone > _SLEPT_SECONDS:
            self._judge.slept(now - gone, now)
            self._say(
                f"the clock went on by {said(round(gone))} and nobody looked: this machine slept, or its clock was "
                "set; that time does not count"
            )
        return ahead

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
            self._writer.write(going_back)
        old, moves = self._journal.old, self._journal.moves
        under_way = moves[self._journal.done] if self._journal.done < len(moves) else None
        for _ in range(REPAIRS):
            if isinstance(under_way, PointTo) and under_way.deployment:
                endpoint = self._mover.attended(under_way, stop=reason)
            else:
                endpoint = self._mover.settled()
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
                self._writer.renew()
                try:
                    self._mover.do(move)
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

    def _scaled(self, serving: Serving) -> tuple[Scaling, ...]:
        """What scales it by now; nobody is asked where nothing did when the shift was begun."""
        if not self._journal.scaling:
            return ()
        with answers():
            return autoscaling.see(self._account, self._journal.endpoint, serving.names)

    def _end(self, phase: Phase) -> None:
        ended = replace(self._journal, phase=phase)
        # Who was superseded does not say how it ended.
        self._writer.renew()
        self._record(ended)
        self._writer.write(replace(self._journal, phase=phase))
        if self._journal.fence > 1:
            self._repair.see_after()

    def _yield(self) -> Journal:
        """What the successor's journal says. Where that has ended already, the call that we may have made since is
        taken back: nobody else would."""
        self._writer.yields = True
        with answers():
            stored = journals.read(self._account, self._environment, self._journal.endpoint)
        if stored is None:
            return self._journal
        theirs = stored.journal
        if theirs.is_over:
            wanted = after_all(theirs.old, theirs.moves) if theirs.phase == "shifted" else theirs.old
            self._repair.give_back(wanted)
            self._repair.hold_scaling(in_the_end(theirs.scaling, wanted))
        return theirs


def _named(looking: Bake | Mirror) -> tuple[str, str]:
    """What it is, and what has it."""
    if isinstance(looking, Mirror):
        return "shadow", f"it is shown {looking.share:g} % of the requests"
    return f"stage {looking.stage}", f"{looking.share:g} % of the traffic"


def _called(looking: Bake | Mirror) -> str:
    if isinstance(looking, Mirror):
        return "as a shadow"
    return f"stage {looking.stage} ({looking.share:g} %)"
