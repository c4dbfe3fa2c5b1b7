"""Does what a promotion decided: the only module that writes to an endpoint beside the controller of a shift."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import begun, copying, history
from mlops.deploy.endpoints.conductor import Conductor
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.promotion import (
    Action,
    CopyArchive,
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteEndpoint,
    HooksAround,
    Promotion,
    Settle,
    Shift,
    SmokeTest,
    TakeBack,
    UpdateEndpoint,
    Wait,
)
from mlops.deploy.endpoints.sampling import Answer, Samples
from mlops.deploy.made import remember
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting import seeing
from mlops.deploy.shifting.lost_answers import made, made_config, pointed
from mlops.deploy.shifting.seeing import IN_SERVICE, Endpoint, until_settled
from mlops.deploy.tag_lists import listed
from mlops.deploy.waiting import Clock, until
from mlops.ir import MlopsError, Refusal
from mlops.ir.hiding import hide_text
from mlops.ir.hook import Coming
from mlops.ir.saying import Say
from mlops.project.environments import Environment


class Writer:
    """Does what was decided, and tells each. ``source`` is the account that holds the version.
    ``state`` is what the endpoint came to when it was last waited for."""

    def __init__(
        self,
        account: Account,
        environment: Environment,
        source: Account,
        version: Version,
        samples: Samples,
        conductor: Conductor,
        *,
        timeout: float,
        say: Say,
        clock: Clock,
        reason: str | None = None,
        passed_over: tuple[str, ...] = (),
    ) -> None:
        """``reason`` is why it is begun and ``passed_over`` are gates, for the history of a shift."""
        self._account = account
        self._environment = environment
        self._source = source
        self._version = version
        self._samples = samples
        self._conductor = conductor
        self._sagemaker = account.client("sagemaker")
        self._timeout = timeout
        self._deadline = clock.now() + timeout
        self._say = say
        self._clock = clock
        self._reason = reason
        self._passed_over = passed_over
        self.state: Endpoint | None = None
        self._went = False
        self.answers: list[Answer] = []
        self.doing = ""
        """The id of what is done, by which hooks know it."""

    def do(self, action: Action) -> None:
        sagemaker = self._sagemaker
        with answers():
            match action:
                case CopyArchive(copy):
                    copying.copy(self._source, self._account, self._environment, copy)
                    self._say(f"copied {copy.source} to {copy.target}")
                case CreateModel(name):
                    remember(self._account, self._environment, "models", name)
                    if made(
                        lambda: sagemaker.create_model(ModelName=name, **action.request),
                        lambda: sagemaker.describe_model(ModelName=name),
                    ):
                        self._say(f"model {name}")
                case CreateEndpointConfig(name):
                    remember(self._account, self._environment, "configs", name)
                    if made_config(sagemaker, name, action.request):
                        self._say(f"endpoint configuration {name}")
                case DeleteEndpoint(name):
                    self._delete(name)
                case CreateEndpoint(name, config):
                    self._need_ours(name)
                    tags = {"Tags": listed(action.tags)} if action.tags else {}
                    if seeing.see(sagemaker, name) is None:
                        self._conductor.forget(name)
                    pointed(
                        lambda: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **tags),
                        sagemaker,
                        name,
                        config,
                    )
                    self._say(f"endpoint {name}")
                case UpdateEndpoint(name, config, before):
                    self._need_ours(name)
                    anew = [*(["DesiredInstanceCount"] if action.recount else []), *action.anew]
                    excluded = [{"VariantPropertyType": item} for item in anew]
                    more = {"ExcludeRetainedVariantProperties": excluded} if excluded else {}
                    pointed(
                        lambda: sagemaker.update_endpoint(
                            EndpointName=name, EndpointConfigName=config, RetainAllVariantProperties=True, **more
                        ),
                        sagemaker,
                        name,
                        config,
                    )
                    self._went = True
                    self._say(f"endpoint {name} goes from {before} to {config}")
                case Shift():
                    version = self._version
                    self._conductor.begin(
                        action,
                        version.group,
                        version.number,
                        self._samples,
                        package=version.arn or None,
                        note=self._reason,
                        passed_over=self._passed_over,
                    )
                case Settle(name):
                    self.state = self._settled(name, self._deadline)
                case Wait(name, config):
                    self._serves(name, config)
                case TakeBack(name, config):
                    self._take_back(name, config)
                case HooksAround(moment, name, config):
                    self._conductor.call_hooks(moment, self._coming(name, config), of=self.doing)
                case SmokeTest():
                    self._smoke_test(action)
                case _:
                    assert_never(action)

    def hear_of_failure(self, promotion: Promotion, failure: MlopsError) -> None:
        """Whoever was called before an endpoint is made hears that it is not to be; what fails then is told."""
        if promotion.verb == "created":
            name = next(action.name for action in promotion.actions if isinstance(action, Wait))
            self._conductor.call_hooks(
                "rollback", self._coming(name, promotion.config), hide_text(failure.message), of=self.doing
            )

    def note_if_taken_back(self, name: str, entry: Entry | None, failure: MlopsError) -> None:
        """In the history, where an update alone, which is to end with ``entry``, came back to what served before, by us
        or by the service: as a shift does."""
        if entry is None or entry.verb != "updated" or not self._went:
            return
        with answers():
            there = seeing.see(self._sagemaker, name)
            if there is None or (there.status, there.config) != (IN_SERVICE, entry.before):
                return
            reason = hide_text(failure.message.splitlines()[0])
            taken = replace(entry, verb="taken back", config=there.config, before=None, reason=reason, serves=None)
            history.append(self._account, self._environment, name, taken)

    def _need_ours(self, name: str) -> None:
        """Just before the endpoint is changed: whoever stood still meanwhile makes at most this call."""
        if self.doing:
            begun.need_ours(self._account, self._environment, name, self.doing)

    def _coming(self, name: str, config: str) -> Coming:
        version = self._version
        return Coming(name, version.group, version.number, config, None, "create", self._conductor.by)

    def _delete(self, name: str) -> None:
        self._say(f"endpoint {name} had failed, making it anew")
        unless_missing(lambda: self._sagemaker.delete_endpoint(EndpointName=name))
        left, gone = until(
            lambda: seeing.see(self._sagemaker, name), lambda state: state is None, self._clock, self._deadline
        )
        if not gone and left is not None:
            raise Refusal(
                f"the endpoint {name} is still {left.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on waiting",
            )

    def _settled(self, name: str, deadline: float) -> Endpoint | None:
        """None where it is gone."""
        last = ""

        def heard(state: Endpoint) -> None:
            nonlocal last
            if state.status != last:
                self._say(f"{name}: {state.status}")
                last = state.status

        state, ended = until_settled(self._sagemaker, name, self._clock, deadline, heard)
        if not ended and state is not None:
            raise Refusal(
                f"the endpoint {name} is still {state.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on waiting",
            )
        return state

    def _serves(self, name: str, config: str) -> None:
        state = self.state = self._settled(name, self._deadline)
        if state is None:
            raise Refusal(f"the endpoint {name} was deleted while it was waited for")
        if state.status != IN_SERVICE or state.config != config:
            raise Refusal(f"the endpoint {name} is {state.status}: {state.failure or f'it serves {state.config}'}")

    def _take_back(self, name: str, config: str) -> None:
        """With a time of its own: that of the promotion may be over."""
        self._say(f"taking {name} back to {config}")
        self._went = True
        self._sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, RetainAllVariantProperties=True)
        self.state = self._settled(name, self._clock.now() + self._timeout)

    def _smoke_test(self, test: SmokeTest) -> None:
        try:
            self._ask(test)
        except Refusal as failure:
            if test.otherwise is not None:
                self._try_to_take_back(test.otherwise, failure)
            elif test.unchanged:
                failure.message += (
                    f"; nothing was changed: {test.name} served this version before, and what it served before that is "
                    "not known here"
                )
                failure.hint = "promote a version that is good: `mlops promote GROUP --to ENV --version NUMBER`"
            raise

    def _try_to_take_back(self, action: TakeBack, failure: Refusal) -> None:
        """What failed first says more than what fails then."""
        try:
            self.do(action)
        except MlopsError as error:
            failure.message += f"; it could not be taken back to {action.config}: {error.message}"
            return
        if self.state is None or (self.state.status, self.state.config) != (IN_SERVICE, action.config):
            told = "gone" if self.state is None else f"{self.state.status} with {self.state.config}"
            failure.message += f"; it was taken back to {action.config}, and is {told}"

    def _ask(self, test: SmokeTest) -> None:
        if not test.samples.count:
            self._say(
                "no sample came with this version, so nothing was asked of the endpoint beyond its health; "
                "--sample FILE, or sample= of RegisterModel, gives one"
            )
        for answer in test.samples.ask(self._account, test.name):
            self.answers.append(answer)
            self._say(f"smoke test {answer.sample}: ok")
