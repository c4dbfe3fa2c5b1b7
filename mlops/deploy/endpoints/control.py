"""What people do to a promotion while it is under way, and after it: pause, go on, hurry, abort, roll back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mlops.account import Account, answers, confirm_identity
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import begun, history
from mlops.deploy.endpoints.conductor import Conductor, is_left, option_of, told, unfinished, wish
from mlops.deploy.endpoints.history import WINDOW, Entry, refused
from mlops.deploy.endpoints.promotion import Shift
from mlops.deploy.endpoints.sampling import NO_SAMPLES, samples_of
from mlops.deploy.models.registry import version as version_of
from mlops.deploy.owners import need_no_other
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting import seeing
from mlops.deploy.shifting.engines import Engine
from mlops.deploy.shifting.journal import Steer, Steered, Stored, Wish
from mlops.deploy.shifting.moves import at_once, config_name
from mlops.deploy.shifting.scaled_moves import with_scaling
from mlops.deploy.shifting.seeing import IN_SERVICE, Endpoint, members_of, variant_of
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.saying import Say
from mlops.ir.shift import CallHooks, Serving
from mlops.project.environments import Environment

TIMEOUT = 1800.0


@dataclass(frozen=True, slots=True)
class Steering:
    """For one endpoint. ``permit`` hears in words what is about to be done, and may raise."""

    account: Account
    environment: Environment
    endpoint: str
    settings: PromotionSettings
    say: Say = lambda text: None
    permit: Say = lambda doing: None
    timeout: float = TIMEOUT
    clock: Clock = Clock()

    def pause(self, reason: str | None = None) -> str:
        """What is told then. The traffic stays split as it is, and nobody looks at it."""
        stored = self._under_way()
        _need_ours(stored, "paused", self.environment)
        by = self._permitted(f"pause {told(stored.journal)}")
        self._leave_word("pause", _steered("paused", by, reason))
        resume = f"`mlops endpoints resume {self.endpoint}{self.environment.option}`"
        return f"{told(stored.journal)} pauses where it is; {resume} goes on"

    def resume(self, reason: str | None = None) -> str:
        """Goes on here, to its end."""
        stored = self._under_way()
        if not is_left(stored):
            raise Refusal(f"{told(stored.journal)} by {stored.journal.by} is not paused")
        by = self._permitted(f"go on with {told(stored.journal)}")
        return self._go_on(stored, _steered("resumed", by, reason))

    def promote_now(self, reason: str | None = None) -> str:
        """What is left of the looking is left out."""
        stored = self._under_way()
        _need_ours(stored, "hurried", self.environment)
        by = self._permitted(f"end {told(stored.journal)} without looking at it any longer")
        if is_left(stored):
            return self._go_on(stored, _steered("promoted now", by, reason), "promote-now")
        self._leave_word("promote-now", _steered("promoted now", by, reason))
        return f"{told(stored.journal)} goes on without looking"

    def abort(self, reason: str | None = None) -> str:
        stored = self._under_way()
        by = self._permitted(f"take back {told(stored.journal)}")
        said = f"it was aborted{f': {reason}' if reason else ''}"
        if is_left(stored):
            self._conductor(by).abort(stored, said, _steered("aborted", by, reason))
            return f"{self.endpoint} serves what it served before: {said}"
        self._leave_word("abort", _steered("aborted", by, reason))
        return f"{told(stored.journal)} is taken back by {stored.journal.by}, who is at it"

    def rollback(self, number: int | None = None, reason: str | None = None) -> Entry:
        """To what served before, or to version ``number`` where that is among the last configurations, at once and
        without analysis."""
        under_way = unfinished(self.account, self.environment, self.endpoint)
        if under_way is not None:
            option = option_of(under_way.journal, self.environment)
            raise Refusal(
                f"a shift of traffic is under way at {self.endpoint}",
                hint=f"`mlops endpoints abort {self.endpoint}{option}` takes it back",
            )
        with answers():
            there = self._endpoint()
            need_no_other(self.account, self.environment, self.endpoint)
            left = begun.read(self.account, self.environment, self.endpoint)
            entries = history.read(self.account, self.environment, self.endpoint)
            if left is not None and left.config == there.config:
                entries = (*entries, left)
        now = history.serving(entries, there.config)
        target = self._earlier(entries, there, number)
        by = self._permitted(f"roll {self.endpoint} back to {history.what(target.group, target.version)}")
        with answers():
            begun.overtake(self.account, self.environment, self.endpoint, left, there.config)
        config, request = self._with_live_counts(target, there)
        self.say(
            f"{self.endpoint} goes back to {config}, {history.what(target.group, target.version)}, at once: of one of "
            f"the last {WINDOW} neither gates nor measures are asked"
        )
        entry = Entry(
            "rolled back",
            now.group if now is not None else target.group,
            now.serves or 0 if now is not None else 0,
            config,
            there.config,
            by,
            reason,
            f"to {history.what(target.group, target.version)}",
            target.version,
            now.package if now is not None and now.version == now.serves else None,
        )
        ending = {name: value for name, value in asdict(entry).items() if name not in ("by", "at", "number")}
        shift = self._shift_back(there, config, request, target.config)
        self._conductor(by).begin(shift, target.group, target.version, NO_SAMPLES, ending=ending)
        return entry

    # How.

    def _permitted(self, doing: str) -> str:
        """Who we are to the account, which is asked before anything is done."""
        with answers():
            by = confirm_identity(self.account, self.environment).arn
        self.permit(doing)
        return by

    def _under_way(self) -> Stored:
        stored = unfinished(self.account, self.environment, self.endpoint)
        if stored is None:
            raise Refusal(f"no shift of traffic is under way at {self.endpoint}")
        return stored

    def _leave_word(self, wished: Wish, steered: Steered) -> None:
        """For who is at it."""
        self._note(wish(self.account, self.environment, self.endpoint, wished, steered), steered)

    def _note(self, stored: Stored, steered: Steered) -> None:
        """In the history, before the shift's end, which says itself that it was aborted."""
        journal = stored.journal
        if steered.what == "aborted":
            return
        entry = Entry(
            steered.what,
            journal.group,
            journal.version,
            journal.old.config,
            None,
            steered.by,
            steered.reason,
            package=journal.package,
        )
        with answers():
            history.append(self.account, self.environment, self.endpoint, entry)

    def _go_on(self, stored: Stored, steered: Steered, wished: Wish | None = None) -> str:
        journal = stored.journal
        try:
            with answers():
                samples = samples_of(self.account, version_of(self.account, journal.group, journal.version))
        except UsageError:
            # The registry is another account's; its samples were asked when the shift began.
            samples = NO_SAMPLES
        self._note(stored, steered)
        self._conductor(steered.by).go_on(stored, samples, wish=wished, steered=steered)
        return f"{self.endpoint} serves {history.what(journal.group, journal.version)}"

    def _conductor(self, by: str) -> Conductor:
        return Conductor(
            self.account,
            self.environment,
            self.settings,
            by=by,
            timeout=self.timeout,
            say=self.say,
            clock=self.clock,
        )

    def _endpoint(self) -> Endpoint:
        there = seeing.see(self.account.client("sagemaker"), self.endpoint)
        if there is None:
            raise UsageError(f"there is no endpoint {self.endpoint!r}")
        if there.status != IN_SERVICE:
            raise Refusal(f"{self.endpoint} is {there.status}; it can be rolled back when it is in service")
        return there

    def _earlier(self, entries: tuple[Entry, ...], there: Endpoint, number: int | None) -> Entry:
        """The last configuration of another version that was not taken or rolled back; whatever it is where its number
        is given."""
        window = history.window(entries, there.config)
        bad = {entry.group: refused(entries, entry.group) for entry in window}
        found = [
            entry
            for entry in reversed(window)
            if (entry.version == number if number is not None else entry.version not in bad[entry.group])
        ]
        if not found:
            known = ", ".join(str(entry.version) for entry in window) or "none"
            wanted = "" if number is None else f" version {number}"
            told = f"of the last {WINDOW} it served" if self._served_earlier(entries, number) else "it served before"
            group = next((entry.group for entry in reversed(entries) if entry.version != history.DECLARED), "GROUP")
            raise Refusal(
                f"{self.endpoint} cannot be rolled back to{wanted or ' anything'}: {told}: {known}",
                hint=f"`mlops promote {group} --to {self._promoter()} --version NUMBER` takes any version there, by "
                "way of the gates and as the environment says",
            )
        return found[0]

    def _promoter(self) -> str:
        """The environment that a promotion to the endpoint names, which a rollback by way of another one of the same
        account does not."""
        return history.promoter(self.account, self.environment, self.endpoint)

    def _served_earlier(self, entries: tuple[Entry, ...], number: int | None) -> bool:
        """Longer ago than the window goes back."""
        return any(entry.serves == number and entry.verb in ("created", "updated") for entry in entries)

    def _with_live_counts(self, target: Entry, there: Endpoint) -> tuple[str, Mapping[str, Any]]:
        """Its configuration, or one like it with as many instances as serve now, and what makes it."""
        sagemaker: Any = self.account.client("sagemaker")
        with answers():
            found = unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=target.config))
        if found is None:
            raise Refusal(
                f"the configuration {target.config} of version {target.version} was deleted",
                hint=f"`mlops promote {target.group} --to {self._promoter()} --version {target.version}` makes it "
                "again",
            )
        live = sum(variant.count or 0 for variant in there.serving.variants) if there.serving is not None else 0
        (variant, *others) = found["ProductionVariants"]
        request = {**members_of(found), "ProductionVariants": [variant, *others]}
        if others or not live or variant.get("InitialInstanceCount") in (None, live):
            return target.config, request
        request = {**request, "ProductionVariants": [{**variant, "InitialInstanceCount": live}]}
        return config_name(f"{target.group}-{target.version}", request), request

    def _shift_back(self, there: Endpoint, config: str, request: Mapping[str, Any], known: str) -> Shift:
        """``known`` is a configuration that is there."""
        old = there.serving
        if old is None:
            raise Refusal(f"{self.endpoint} serves nothing")
        new = Serving(config, tuple(variant_of(item) for item in request["ProductionVariants"]))
        with answers():
            scaling = autoscaling.see(self.account, self.endpoint, old.names)
        moves = at_once(new, request, probe=False)
        moves = with_scaling(moves if config != known else moves[1:], old, scaling)
        if "rollback" in self.settings.moments:
            moves = (*moves, CallHooks("rollback"))
        return Shift(self.endpoint, Engine.UPDATE, "it served before", old, moves, new.names[0], scaling)


def _steered(what: Steer, by: str, reason: str | None) -> Steered:
    return Steered(what, by, journals.moment(), reason)


def _need_ours(stored: Stored, asked: str, environment: Environment) -> None:
    """Raises Refusal where the service shifts the traffic, and not we."""
    journal = stored.journal
    if journal.engine == Engine.GUARDRAILS.value:
        raise Refusal(
            f"{told(journal)} is done by SageMaker's guardrails, and cannot be {asked}: the service has no call for it",
            hint=f"`mlops endpoints abort {journal.endpoint}{environment.option}` takes it back",
        )
