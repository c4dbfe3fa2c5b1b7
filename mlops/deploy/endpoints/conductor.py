"""A shift of traffic, begun, gone on with, or taken back: whoever does it writes in the endpoint's journal, and at the
end in its history."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mlops.account import Account, answers
from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.hooking import Hooks
from mlops.deploy.endpoints.people import People
from mlops.deploy.endpoints.promotion import Shift
from mlops.deploy.endpoints.sampling import Samples
from mlops.deploy.fencing import LEASE_SECONDS, alive, new_token
from mlops.deploy.outcomes.joining import Joining, need_capture
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting import server_logs
from mlops.deploy.shifting.controller import Controller, Outcome
from mlops.deploy.shifting.engines import Engine
from mlops.deploy.shifting.journal import Journal, Steered, Stored, Superseded, Wish
from mlops.deploy.shifting.judging import ByMetrics, unknown_alarms
from mlops.deploy.shifting.judging_shadows import ByPairs
from mlops.deploy.shifting.samples import Samples as Seen
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.shifting.shadowed_moves import is_shadowed
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal
from mlops.ir.hook import Coming, Moment
from mlops.ir.saying import Say
from mlops.ir.shift import Bake, Probe, Stage, Weigh, config_at_end
from mlops.project.environments import Environment

_ATTEMPTS = 20


class Conductor:
    """``by`` is who we are to the account; ``timeout`` in seconds is for each wait for the endpoint."""

    def __init__(
        self,
        account: Account,
        environment: Environment,
        settings: PromotionSettings,
        *,
        by: str,
        timeout: float,
        say: Say,
        clock: Clock,
    ) -> None:
        self._account = account
        self._environment = environment
        self._settings = settings
        self._by = by
        self._timeout = timeout
        self._say = say
        self._clock = clock

    def begin(
        self,
        shift: Shift,
        group: str,
        number: int,
        samples: Samples,
        *,
        ending: Mapping[str, Any] | None = None,
        package: str | None = None,
        note: str | None = None,
        passed_over: tuple[str, ...] = (),
    ) -> None:
        """To version ``number`` of the group. Raises Refusal where it does not come to its end, of which the history
        says ``ending``; ``note`` is why it was begun and ``passed_over`` are gates, as the history of a promotion
        says."""
        self._say(f"{shift.name}: by {shift.engine.value}, because {shift.why}")
        for beware in shift.notes:
            self._say(f"beware: {beware}")
        with answers():
            stored = journals.read(self._account, self._environment, shift.name)
            unknown = unknown_alarms(self._account.client("cloudwatch"), self._settings.alarms)
        if unknown and shift.engine is not Engine.UPDATE:
            raise Refusal(
                f"there is no alarm {unknown[0]} in {self._environment.name}, which is to judge {shift.name}; nothing "
                "was changed",
                hint=f"make it, or correct `alarms` of [env.{self._environment.name}.promote]",
            )
        journal = Journal(
            shift.name,
            group,
            number,
            shift.engine.value,
            shift.old,
            shift.moves,
            fence=0,
            writer="",
            by="",
            at="",
            scaling=shift.scaling,
            ending=ending,
            id=uuid.uuid4().hex,
            package=package,
            note=note,
            passed_over=passed_over,
            environment=self._environment.name,
            begun_by=self._by,
        )
        self._go(journal, stored, shift.variant, samples)

    def go_on(
        self, stored: Stored, samples: Samples, *, wish: Wish | None = None, steered: Steered | None = None
    ) -> None:
        """Where its writer left off, since somebody ``steered`` it so. Raises Refusal where it does not come to its
        end."""
        journal = replace(_with(stored.journal, steered), wish=wish)
        self._say(f"going on with {told(journal)}, which {journal.begun_by} began")
        self._go(journal, stored, new_variant(journal), samples)

    def abort(self, stored: Stored, reason: str, steered: Steered) -> None:
        """Take a shift back that nobody is at."""
        journal = replace(_with(stored.journal, steered), phase="going back", reason=reason, wish=None, aborted=True)
        try:
            self._go(journal, stored, new_variant(journal), Samples({}, "", ""))
        except _TakenBack:
            return

    def forget(self, endpoint: str) -> None:
        """A shift of an endpoint that is not there any more: who makes it anew does not go on with that."""
        with answers():
            stored = unfinished(self._account, self._environment, endpoint)
            if stored is None:
                return
            over = replace(
                stored.journal,
                phase="taken back",
                reason="the endpoint was deleted",
                wish=None,
                fence=stored.journal.fence + 1,
                writer=new_token(),
            )
            try:
                journals.write(self._account, self._environment, over, stored.etag)
            except journals.Superseded:
                raise Refusal(
                    f"somebody is at {told(stored.journal)}, and {endpoint} is not there; nothing was made",
                    hint="run the same command again",
                ) from None
        self._say(f"{told(stored.journal)} had not ended, and ends with the endpoint, which was deleted")

    def call_hooks(self, moment: Moment, coming: Coming, reason: str | None = None, *, of: str = "") -> None:
        """Of what comes without a shift, and is done as ``of``. Raises Refusal where one fails that is to abort it."""
        hooks = Hooks(self._account, self._environment, self._settings, say=self._say, clock=self._clock)
        hooks.around(moment, coming, reason, of=of)

    @property
    def by(self) -> str:
        return self._by

    def _server_log(self, endpoint: str, variant: str, since: float) -> str:
        """Where that of an account is told, and nothing of it: who promotes there need not be able to read logs."""
        if not self._environment.is_local:
            return server_logs.where(endpoint, variant)
        raised = server_logs.raised(self._account.client("logs"), endpoint, variant, since)
        told = server_logs.where_here(endpoint, variant)
        return f"it raised {raised}; {told}" if raised else told

    def _go(self, journal: Journal, stored: Stored | None, variant: str, samples: Samples) -> None:
        token = new_token()
        fence = stored.journal.fence + 1 if stored is not None else 1
        ours = replace(journal, fence=fence, writer=token, by=self._by)
        settings = self._settings
        judge = ByMetrics(
            self._account.client("cloudwatch"),
            settings.rules,
            self._seen(journal, variant),
            alarms=settings.alarms,
            patience=settings.patience,
            shadow=self._shadow(journal),
            joined=self._joined(journal, variant) if journal.phase == "shifting" else None,
            say=self._say,
            keep=partial(shift_records.keep, self._account, self._environment),
            log=self._server_log,
        )
        if not journal.done and journal.phase == "shifting":
            for told_before in judge.outlook(self._clock.wall()):
                self._say(told_before)

        def probe(asked: str | None) -> None:
            if not samples.count:
                self._say(
                    "no sample came with this version, so nothing was asked of it beyond its health; "
                    "--sample FILE, or sample= of RegisterModel, gives one"
                )
            for answer in samples.ask(self._account, journal.endpoint, asked):
                self._say(f"smoke test {answer.sample}: ok")

        people = People(self._account, self._environment, settings.notify, settings.root)
        controller = Controller(
            self._account,
            self._environment,
            judge,
            probe,
            hooks=Hooks(self._account, self._environment, settings, say=self._say, clock=self._clock),
            tell=people.tell,
            record=self._write_down,
            timeout=self._timeout,
            say=self._say,
            clock=self._clock,
        )
        if ours.done == 0 and ours.phase == "shifting":
            people.tell("start", f"{told(ours)} begins, by {ours.by}", ours)
        try:
            outcome = self._done(controller, ours, stored, token)
            people.tell("end", f"{told(outcome.journal)} is {outcome.verb}{_why(outcome)}", outcome.journal)
        finally:
            people.close(self._say)
        self._heed(outcome)

    def _done(self, controller: Controller, ours: Journal, stored: Stored | None, token: str) -> Outcome:
        with alive(token):
            try:
                return controller.go(ours, stored.etag if stored is not None else None)
            except KeyboardInterrupt as interrupt:
                if self._settings.on_interrupt != "rollback":
                    option = self._environment.option
                    interrupt.add_note(
                        f"{told(ours)} stays where it is: the same command goes on with it, "
                        f"`mlops endpoints abort {ours.endpoint}{option}` takes it back"
                    )
                    raise
                now = journals.read(self._account, self._environment, ours.endpoint)
                if now is None or now.journal.writer != token:
                    raise
                return controller.back(now.journal, now.etag, "it was interrupted")

    def _shadow(self, journal: Journal) -> ByPairs | None:
        """Who looks at the new version before it has traffic."""
        made = next((move for move in journal.moves if is_shadowed(move)), None)
        mirroring = self._settings.shadow
        here = self._account.here if made is not None else None
        if made is None or mirroring is None or here is None:
            return None
        (variant,) = made.request["ShadowProductionVariants"]
        name = str(variant["VariantName"])
        return ByPairs(here, mirroring, self._settings.mirror, made.config, name, say=self._say)

    def _joined(self, journal: Journal, variant: str) -> Joining | None:
        """What becomes of requests, where a rule asks for that. Raises Refusal where nothing of them is captured."""
        late = [rule for rule in self._settings.rules if rule.measure.outcomes is not None]
        if not late or not any(isinstance(move, Bake) for move in journal.moves):
            return None
        with answers():
            sagemaker = self._account.client("sagemaker")
            for rule in late:
                destination = need_capture(
                    sagemaker,
                    journal.endpoint,
                    answers=rule.measure.outcomes is not None and rule.measure.outcomes(rule.settings).needs_answer,
                    measure=rule.name,
                )
        variants = tuple(dict.fromkeys((variant, *journal.old.names)))
        return Joining(self._account, self._environment, journal.endpoint, destination, variants, self._say)

    def _seen(self, journal: Journal, variant: str) -> Seen:
        """Of a shift that somebody began, what they kept of it."""
        began = journal.began
        if began is None:  # an older version wrote none
            began = next((since for since, _ in journal.looked), journal.since)
        if began is not None:
            with answers():
                kept = shift_records.of(self._account, self._environment, journal.endpoint, began)
            if kept is not None:
                return kept
        return Seen(
            journal.endpoint,
            journal.group,
            journal.version,
            variant,
            tuple(name for name in journal.old.names if name != variant),
            tuple(
                Stage(move.share, move.seconds, move.until_decided) for move in journal.moves if isinstance(move, Bake)
            ),
            self._settings.lag,
            self._settings.judge,
            self._settings.alarms,
            environment=journal.environment,
        )

    def _write_down(self, journal: Journal) -> None:
        """Its end, in the history, once: whoever goes on with one that was cut off between writes no other."""
        shifted = journal.phase == "shifted"
        if shifted and journal.ending is not None:
            entry = replace(Entry(**journal.ending, by=self._by), id=journal.id)
        elif journal.aborted:
            entry = self._aborted(journal)
        else:
            entry = Entry(
                "updated" if shifted else "taken back",
                journal.group,
                journal.version,
                config_at_end(journal.moves) if shifted else journal.old.config,
                journal.old.config if shifted else None,
                self._by,
                journal.reason or journal.note,
                history.how(journal.engine, journal.passed_over),
                journal.version if shifted else None,
                journal.package,
                id=journal.id,
            )
        entry = replace(entry, how="; ".join(filter(None, (entry.how, *self._people(journal)))))
        with answers():
            history.append(self._account, self._environment, journal.endpoint, entry)

    def _aborted(self, journal: Journal) -> Entry:
        """By whoever wished it, for the reason that they gave."""
        last = next((item for item in reversed(journal.steered) if item.what == "aborted"), None)
        return Entry(
            "aborted",
            journal.group,
            journal.version,
            journal.old.config,
            None,
            last.by if last is not None else self._by,
            last.reason if last is not None else journal.wish_reason,
            history.how(journal.engine, journal.passed_over),
            package=journal.package,
            id=journal.id,
        )

    def _people(self, journal: Journal) -> tuple[str, ...]:
        """Who began it, where others had a hand in it, and what they did."""
        others = journal.steered or journal.begun_by != self._by
        return ((f"begun by {journal.begun_by}",) if others and journal.begun_by else ()) + journal.by_people

    def _heed(self, outcome: Outcome) -> None:
        journal, option = outcome.journal, self._environment.option
        version = history.what(journal.group, journal.version)
        match outcome.verb:
            case "taken back":
                raise _TakenBack(
                    f"{version} was taken back, {journal.endpoint} serves what it served before: {journal.reason}",
                    hint=f"`mlops endpoints history {journal.endpoint}{option}` has what was done",
                )
            case "paused":
                raise Refusal(
                    f"{told(journal)} is paused{_because(journal)}",
                    hint=f"`mlops endpoints resume {journal.endpoint}{option}` goes on, `abort` takes it back",
                )
            case "taken over":
                raise Refusal(
                    f"{journal.by} has taken over {told(journal)}; it is {journal.phase}",
                    hint=f"`mlops endpoints show {journal.endpoint}{option}`",
                )


class _TakenBack(Refusal):
    """All traffic is where it was before."""


def unfinished(account: Account, environment: Environment, endpoint: str) -> Stored | None:
    """The journal of a shift that was begun and has not ended."""
    with answers():
        stored = journals.read(account, environment, endpoint)
    return None if stored is None or stored.journal.is_over else stored


def is_left(stored: Stored) -> bool:
    """Nobody is at it any more, as far as can be known here."""
    return stored.dead or stored.age > LEASE_SECONDS or stored.journal.wish == "pause"


def need_left(stored: Stored, environment: Environment, *, take_over: bool = False) -> None:
    """Raises Refusal where somebody is at it, or it was paused."""
    journal, option = stored.journal, option_of(stored.journal, environment)
    if journal.wish == "pause":
        raise Refusal(
            f"{told(journal)} is paused{_because(journal)}; nothing was changed",
            hint=f"`mlops endpoints resume {journal.endpoint}{option}` goes on with it, `abort` takes it back",
        )
    if not take_over and not is_left(stored):
        raise Refusal(
            f"{told(journal)} by {journal.by} is under way, its last word {stored.age:.0f} seconds old; nothing was "
            "changed",
            hint=f"wait until it has ended, or `mlops endpoints abort {journal.endpoint}{option}`; --take-over goes on "
            "with it where whoever began it is gone",
        )
    if not take_over and journal.environment not in ("", environment.name):
        raise Refusal(
            f"{told(journal)} was begun with the environment {journal.environment}, and is judged by what that "
            f"declares, not by {environment.name}; nothing was changed",
            hint=f"`mlops endpoints resume {journal.endpoint}{option}` goes on with it, `abort` takes it back; "
            f"--take-over goes on with it by what {environment.name} declares",
        )


def option_of(journal: Journal, environment: Environment) -> str:
    """What a command needs behind it to speak of the environment that the shift was begun with."""
    return replace(environment, name=journal.environment or environment.name).option


def wish(account: Account, environment: Environment, endpoint: str, wished: Wish, steered: Steered) -> Stored:
    """Leave word for who is at the shift; what it says then. Raises Refusal where none is under way."""
    for _ in range(_ATTEMPTS):
        stored = unfinished(account, environment, endpoint)
        if stored is None:
            raise Refusal(f"no shift of traffic is under way at {endpoint}")
        journal = replace(_with(stored.journal, steered), wish=wished, wish_reason=steered.reason)
        try:
            with answers():
                etag = journals.write(account, environment, journal, stored.etag)
        except Superseded:
            continue
        return replace(stored, journal=journal, etag=etag)
    raise Refusal(f"the journal of {endpoint} is written by too many at once", hint="try again")


def told(journal: Journal) -> str:
    what = history.what(journal.group, journal.version)
    if journal.ending is not None:
        return f"the rollback of {journal.endpoint} to {what}"
    return f"the promotion of {what} to {journal.endpoint}"


def new_variant(journal: Journal) -> str:
    """What a journal's shift brings in."""
    for move in journal.moves:
        if isinstance(move, Probe) and move.variant is not None:
            return move.variant
        if isinstance(move, Weigh):
            return next(name for name in move.weights if name not in journal.old.names)
    return journal.old.names[0]


def _with(journal: Journal, steered: Steered | None) -> Journal:
    """An older version wrote not who began it, only who was at it last."""
    more = () if steered is None else (steered,)
    return replace(journal, begun_by=journal.begun_by or journal.by, steered=(*journal.steered, *more))


def _why(outcome: Outcome) -> str:
    reason = outcome.journal.reason
    return f": {reason}" if reason and outcome.verb == "taken back" else ""


def _because(journal: Journal) -> str:
    return f": {journal.wish_reason}" if journal.wish_reason else ""
