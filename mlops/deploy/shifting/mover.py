"""Makes one move of a shift, and sees it to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.made import remember
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.journal_writer import JournalWriter
from mlops.deploy.shifting.lost_answers import made_config, pointed
from mlops.deploy.shifting.red import Red
from mlops.deploy.shifting.seeing import FAILED, IN_SERVICE, Endpoint, until_settled
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal
from mlops.ir.saying import Say
from mlops.ir.shift import (
    CallHooks,
    MakeConfig,
    Move,
    PointTo,
    Probe,
    RemoveScaling,
    RestoreScaling,
    Scale,
    Serving,
    SuspendScaling,
    Weigh,
)
from mlops.project.environments import Environment

_LONGEST_REASON = 1023
"""Of an alarm's state (botocore: StateReason)."""


class Mover:
    def __init__(
        self,
        account: Account,
        environment: Environment,
        writer: JournalWriter,
        probe: Callable[[str | None], None],
        hooks: Callable[[CallHooks, Journal], None],
        *,
        timeout: float,
        say: Say,
        clock: Clock,
    ) -> None:
        self._account = account
        self._environment = environment
        self._sagemaker: Any = account.client("sagemaker")
        self._writer = writer
        self._probe = probe
        self._hooks = hooks
        self._timeout = timeout
        self._say = say
        self._clock = clock

    def do(self, move: Move) -> None:
        name = self._writer.journal.endpoint
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
                    self._hooks(move, self._writer.journal)
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
        name, config = self._writer.journal.endpoint, move.serving.config
        there = self.settled()
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
            self._writer.heed()
            told = f": {came.failure}" if came.failure else ""
            raise Red(f"it did not come to {config}, and is {came.status} with {came.config}{told}")

    def _was_moved(self, came: Endpoint) -> bool:
        """By the one call that a superseded controller may make behind ours: no failure is told of, and that happens
        once."""
        return self._writer.journal.fence > 1 and came.status == IN_SERVICE and not came.failure

    def _pointed(self, move: PointTo) -> Endpoint | None:
        """What it came to."""
        name, config = self._writer.journal.endpoint, move.serving.config
        self._say(f"{name} goes to {config}")
        deployment = {"DeploymentConfig": dict(move.deployment)} if move.deployment else {}
        try:
            with answers():
                pointed(
                    lambda: self._sagemaker.update_endpoint(
                        EndpointName=name,
                        EndpointConfigName=config,
                        RetainAllVariantProperties=move.retain,
                        **(deployment or weighed_anew(move.serving, retain=move.retain)),
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
        return self.attended(move) if deployment else self.settled()

    def attended(self, move: PointTo, stop: str | None = None) -> Endpoint | None:
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
                say_once(f"{self._writer.journal.endpoint}: {line}")
            self._writer.renew()
            wished = (
                self._writer.journal.wish_reason or "somebody wishes it"
                if self._writer.journal.wish == "abort"
                else None
            )
            if (reason := stop or wished) is not None and state.status == "Updating":
                self._stop(move, reason, say_once)

        return self.settled(_limit(move), hear)

    def _stop(self, move: PointTo, reason: str, say: Say) -> None:
        """The service has no call that ends a deployment: it goes back while an alarm rings that it watches."""
        name = self._writer.journal.endpoint
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
        since, modified = self._writer.journal.since, there.modified
        if not move.deployment or not there.failure or since is None or modified is None:
            return False
        return modified >= since

    def _change(self, wanted: list[dict[str, Any]]) -> None:
        self.settled()
        self._sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self._writer.journal.endpoint, DesiredWeightsAndCapacities=wanted
        )
        came = self.settled()
        if came is None or came.status == FAILED:
            raise Red("the endpoint was deleted meanwhile" if came is None else f"it failed: {came.failure or ''}")

    def settled(self, more: float = 0.0, heard: Callable[[Endpoint], None] = lambda state: None) -> Endpoint | None:
        """``more`` seconds may go by beside the time-out; ``heard`` hears of each look. None where it is gone. Raises
        Refusal after the time-out: what is under way then is finished by the next that comes."""
        name = self._writer.journal.endpoint
        deadline = self._clock.now() + self._timeout + more
        found, ended = until_settled(self._sagemaker, name, self._clock, deadline, heard)
        if not ended and found is not None:
            raise Refusal(
                f"the endpoint {name} is still {found.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on",
            )
        return found

    def _go_on(self) -> None:
        """Between two calls of one move; who was superseded and takes back what it did has nothing to ask."""
        if not self._writer.yields:
            self._writer.renew()


def weighed_anew(serving: Serving, *, retain: bool) -> dict[str, Any]:
    """What serves alone has the weight of its configuration: the live one may be 0, where somebody else's call came
    between, and then traffic would go to nothing."""
    if not retain or len(serving.variants) != 1:
        return {}
    return {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]}


def _limit(move: PointTo) -> float:
    """How long the service may take for it, in seconds."""
    policies = (move.deployment or {}).values()
    return float(sum(policy.get("MaximumExecutionTimeoutInSeconds", 0) for policy in policies))
