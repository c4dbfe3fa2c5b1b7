"""Take an approved version of a model to an endpoint of an environment, all traffic at once: see, decide, do and tell.

What was cut off, at whatever moment, is finished by running it again; what is under way at the endpoint is waited for.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints.diary import Diary
from mlops.deploy.endpoints.promotion import (
    IN_SERVICE,
    Action,
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteEndpoint,
    Seen,
    Settle,
    SmokeTest,
    State,
    TakeBack,
    Target,
    UpdateEndpoint,
    Wait,
    Wanted,
    decide,
    settled,
    want,
)
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.waiting import Clock, until
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment
from mlops.project.placeholders import placeholders

__all__ = ["Answer", "Promoted", "Target", "promote"]

_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said to one sample request."""

    sample: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Promoted:
    """``action`` is unchanged where the endpoint served this version before; ``answers`` are the smoke test's."""

    endpoint: str
    version: Version
    action: Literal["created", "updated", "unchanged"]
    config: str
    answers: tuple[Answer, ...]


def promote(
    account: Account,
    environment: Environment,
    version: Version,
    target: Target,
    *,
    registry: Account | None = None,
    samples: Mapping[str, bytes] | None = None,
    say: Say = lambda text: None,
    permit: Say = lambda doing: None,
    clock: Clock | None = None,
) -> Promoted:
    """``registry`` is the account that holds the version and its sample, where that is another one. ``permit`` hears,
    in words, what is about to be done before anything is, and may raise.

    Raises Refusal where the version is not approved, the endpoint does not come up or the smoke test fails; then it is
    taken back to the configuration that served before, where that is known.
    """
    if version.approval != APPROVED:
        raise Refusal(
            f"version {version.number} of {version.group} is {version.approval}, only an Approved one is promoted",
            hint=f"`mlops models approve {version.group} {version.number}` if it is good",
        )
    if not _ENDPOINT.fullmatch(target.endpoint):
        raise UsageError(
            f"{target.endpoint!r} is no name for an endpoint", hint="use up to 63 letters, digits and dashes"
        )
    wanted = want(environment, version, target)
    with answers():
        number = confirm_account(account, environment)
        _need_own(environment, number, version, wanted)
        asked = _samples(registry or account, version) if samples is None else samples
        seen = see(account, wanted, asked)
    if decide(seen, wanted).writes:
        permit(f"take version {version.number} of {version.group} to the endpoint {target.endpoint}")
    writer = _Writer(account, target.timeout, say, clock or Clock())
    diary = Diary(account, wanted, version)
    with diary.kept():
        while True:
            promotion = decide(seen, wanted)
            for action in promotion.actions:
                writer.do(action)
                diary.acted(action)
            if promotion.verb is not None:
                diary.ended(promotion.verb)
                return Promoted(target.endpoint, version, promotion.verb, wanted.config, tuple(writer.answers))
            seen = settled(seen, wanted, writer.state)


def _need_own(environment: Environment, number: str, version: Version, wanted: Wanted) -> None:
    """Raises Refusal for what is of the local account and would name nothing in this one, or the other way round."""
    what = f"version {version.number} of {version.group}"
    if environment.is_local:
        if f":{number}:" not in version.arn:
            raise Refusal(
                f"{what} is {version.arn}, and an endpoint of the local account serves what is registered here",
                hint="run the pipeline here, approve its version and promote that",
            )
        return
    told = [wanted.model_request, version.details.get("InferenceSpecification") or {}]
    found = next(placeholders(told, account=number, bucket=environment.bucket), None)
    if found is not None:
        raise Refusal(
            f"{what} names {found}, which is of the local account and nothing in {number}; nothing was made",
            hint=f"upsert the pipeline to {environment.name}, start it there, and promote what that registers",
        )


def see(account: Account, wanted: Wanted, samples: Mapping[str, bytes]) -> Seen:
    sagemaker = account.client("sagemaker")
    return Seen(
        has_model=unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None,
        has_config=unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=wanted.config))
        is not None,
        endpoint=_state(sagemaker, wanted.endpoint),
        samples=samples,
    )


def _state(sagemaker: Any, name: str) -> State | None:
    found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name))
    if found is None:
        return None
    pending = (found.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
    return State(
        str(found["EndpointStatus"]), str(found["EndpointConfigName"]), pending, found.get("FailureReason") or None
    )


def _samples(account: Account, version: Version) -> Mapping[str, bytes]:
    """The requests in the version's sample payload, by file name."""
    uri = version.details.get("SamplePayloadUrl")
    if not uri:
        return {}
    bucket, key = split_uri(str(uri))
    content = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    samples = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                samples[member.name] = file.read()
    return samples


class _Writer:
    """Does what was decided, and tells each. ``state`` is what the endpoint came to when it was last waited for."""

    def __init__(self, account: Account, timeout: float, say: Say, clock: Clock) -> None:
        self._account = account
        self._sagemaker = account.client("sagemaker")
        self._timeout = timeout
        self._deadline = clock.now() + timeout
        self._say = say
        self._clock = clock
        self.state: State | None = None
        self.answers: list[Answer] = []

    def do(self, action: Action) -> None:
        sagemaker = self._sagemaker
        with answers():
            match action:
                case CreateModel(name):
                    made = self._make(
                        lambda: sagemaker.create_model(ModelName=name, **action.request),
                        lambda: sagemaker.describe_model(ModelName=name),
                    )
                    if made:
                        self._say(f"model {name}")
                case CreateEndpointConfig(name):
                    made = self._make(
                        lambda: sagemaker.create_endpoint_config(EndpointConfigName=name, **action.request),
                        lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name),
                    )
                    if made:
                        self._say(f"endpoint configuration {name}")
                case DeleteEndpoint(name):
                    self._delete(name)
                case CreateEndpoint(name, config):
                    self._point(lambda: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config), action)
                    self._say(f"endpoint {name}")
                case UpdateEndpoint(name, config, before):
                    self._point(lambda: sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config), action)
                    self._say(f"endpoint {name} goes from {before} to {config}")
                case Settle(name):
                    self.state = self._settled(name, self._deadline)
                case Wait(name, config):
                    self._serves(name, config)
                case TakeBack(name, config):
                    self._take_back(name, config)
                case SmokeTest():
                    self._smoke_test(action)
                case _:
                    assert_never(action)

    def _make(self, create: Callable[[], object], describe: Callable[[], object]) -> bool:
        """Whether it is ours. What is there already is what was to be made: its name is its content. That is so after
        an answer that was lost, and where another promotion was faster."""
        try:
            create()
        except Exception:
            if unless_missing(describe) is None:
                raise
            return False
        return True

    def _point(self, write: Callable[[], object], action: CreateEndpoint | UpdateEndpoint) -> None:
        try:
            write()
        except Exception:
            # The answer may have been lost: then it goes where it was sent.
            there = _state(self._sagemaker, action.name)
            if there is None or action.config not in (there.config, there.pending):
                raise

    def _delete(self, name: str) -> None:
        self._say(f"endpoint {name} had failed, making it anew")
        unless_missing(lambda: self._sagemaker.delete_endpoint(EndpointName=name))
        left, gone = until(
            lambda: _state(self._sagemaker, name), lambda state: state is None, self._clock, self._deadline
        )
        if not gone and left is not None:
            raise Refusal(
                f"the endpoint {name} is still {left.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on waiting",
            )

    def _settled(self, name: str, deadline: float) -> State | None:
        """None where it is gone."""
        last = ""

        def look() -> State | None:
            nonlocal last
            state = _state(self._sagemaker, name)
            if state is not None and state.status != last:
                self._say(f"{name}: {state.status}")
                last = state.status
            return state

        state, ended = until(look, lambda state: state is None or state.is_settled, self._clock, deadline)
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
        self._sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
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
        if not test.samples:
            self._say("no sample came with this version, so nothing was asked of the endpoint beyond its health")
        for name, body in test.samples.items():
            try:
                with answers():
                    reply = self._account.client("sagemaker-runtime").invoke_endpoint(
                        EndpointName=test.name, Body=body, ContentType=test.content_type, Accept=test.accept
                    )
                    answer = reply["Body"].read()
            except Exception as error:
                raise Refusal(f"the smoke test with {name} failed: {error}") from error
            if not answer.strip():
                raise Refusal(f"the smoke test with {name} got an empty answer")
            self.answers.append(Answer(name, str(reply.get("ContentType", test.accept)), answer))
            self._say(f"smoke test {name}: ok")
