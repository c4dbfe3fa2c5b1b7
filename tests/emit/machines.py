"""Machines that run: moto's interpreter of the Amazon States Language, whose tasks ask our local account.

What moto lacks is put in here, as the guide says it is: JSONata (by jsonata-python, with the functions that Step
Functions adds), the optimised ``.sync`` of SageMaker, and names of services and errors. Waits of more than a second
are none.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from mlops.account.wire.answers import Answers, Told
from mlops.account.wire.server import Server

ACCOUNT, REGION = "000000000000", "us-east-1"
_SERVICES = {
    "applicationautoscaling": "application-autoscaling",
    "sagemakerruntime": "sagemaker-runtime",
}
_ERRORS = {"sagemaker": "SageMaker", "s3": "S3", "cloudwatch": "CloudWatch", "lambda": "Lambda"}
_LOOKS = ("Describe", "List", "Get", "Head")


class Ended:
    """How a machine ended, and the states that it entered."""

    def __init__(self, execution: Any) -> None:
        self.status: str = execution.exec_status.value
        self.error: str | None = execution.error
        self.cause: str | None = execution.cause
        self.output: Any = json.loads(execution.output) if isinstance(execution.output, str) else execution.output
        history = execution.exec_worker.env.event_manager.get_event_history()
        self.history = history
        self.states = [
            event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event
        ]
        self.failures = [
            details
            for event in history
            for member, details in event.items()
            if member in ("taskFailedEventDetails", "evaluationFailedEventDetails")
        ]

    def __repr__(self) -> str:
        return f"{self.status}: {self.error} {self.cause} {self.states} {self.failures}"


class Interpreter:
    """``told`` are the requests that the account was asked, in their order; ``said`` is what topics were told."""

    def __init__(self, url: str) -> None:
        from moto.stepfunctions.parser.models import StepFunctionsParserBackend

        self.url = url
        self.told: list[Told] = []
        self.said: list[str] = []
        self.backend = StepFunctionsParserBackend(REGION, ACCOUNT)

    @property
    def changes(self) -> list[str]:
        return [told.operation for told in self.told if not told.operation.startswith(_LOOKS)]

    def start(self, machine: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Any:
        """Each of a machine of its own."""
        name = f"m{uuid.uuid4().hex[:8]}"
        role = f"arn:aws:iam::{ACCOUNT}:role/machine"
        made = self.backend.create_state_machine(name, json.dumps(_hurried(machine)), role)
        return self.backend.start_execution(made.arn, str(uuid.uuid4()), json.dumps(given or {}))

    def run(self, machine: Mapping[str, Any], given: Mapping[str, Any] | None = None, seconds: float = 100) -> Ended:
        execution = self.start(machine, given)
        return self.ended(execution, seconds)

    def ended(self, execution: Any, seconds: float = 100) -> Ended:
        until = time.monotonic() + seconds
        while execution.exec_status is None or execution.exec_status.value == "RUNNING":
            assert time.monotonic() < until, Ended(execution)
            time.sleep(0.02)
        return Ended(execution)

    def client(self, service: str) -> Any:
        return _client(service, self.url)

    def answer(self, token: str, outcome: Mapping[str, Any]) -> None:
        self.backend.send_task_success(token, json.dumps(outcome))


@contextmanager
def interpreting(state: Path) -> Iterator[Interpreter]:
    """Of the account that lies in ``state``."""
    heard: list[Told] = []
    answers = Answers(state, REGION, None, heard.append)
    server = Server(answers)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        found = Interpreter(server.url)
        found.told = heard
        own = {"sfn": _Executions(found), "sns": _Topics(found)}
        _patched(patch, lambda service: own.get(service) or _client(service, server.url))
        try:
            yield found
        finally:
            server.stop()


class _Executions:
    """Of the interpreter's own machines, with members that begin large, as of all services in a machine."""

    meta = SimpleNamespace(method_to_api_mapping={"describe_execution": "DescribeExecution"})

    def __init__(self, interpreter: Interpreter) -> None:
        self._backend = interpreter.backend

    def describe_execution(self, **asked: str) -> Mapping[str, Any]:
        found = self._backend.describe_execution(asked["ExecutionArn"])
        status = found.exec_status.value if found.exec_status is not None else "RUNNING"
        return {"ExecutionArn": found.execution_arn, "Status": status}


class _Topics:
    """SNS, which the local account has not: moto's topics, whose messages are kept."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._said = interpreter.said

    def publish(self, **asked: str) -> dict[str, Any]:
        from moto.sns.models import sns_backends

        topics = sns_backends[ACCOUNT][REGION]
        topic = topics.create_topic(asked["TopicArn"].rpartition(":")[2])
        made = topics.publish(asked["Message"], topic.arn, subject=asked["Subject"])
        self._said.append(topic.sent_notifications[-1][1])
        return {"MessageId": made}


def _client(service: str, url: str) -> Any:
    return boto3.client(
        _SERVICES.get(service, service),
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def _patched(patch: pytest.MonkeyPatch, client: Callable[[str], Any]) -> None:
    from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils as functions
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_aws_sdk as sdk,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback as callback,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_factory as factory,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_sns as topics,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_sqs as queues,
    )
    from moto.stepfunctions.parser.asl.jsonata import jsonata
    from moto.stepfunctions.parser.asl.parse import asl_parser

    patch.setattr(jsonata, "_eval_jsonata", _evaluated)
    for name in ("$hash", "$uuid", "$parse"):
        patch.delitem(intrinsic._DECLARATION_BY_VARIABLE_REFERENCE, name, raising=False)  # of one beside another
    for name, told in _ERRORS.items():
        patch.setitem(sdk._SERVICE_ERROR_NAMES, name, told)

    def by_service(service: str, **more: Any) -> Any:
        return client(service)

    def sdk_task(self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, **more: Any) -> None:
        asked = client(self._get_boto_service_name())
        response = getattr(asked, _method(asked, self.resource.api_action))(**normalised_parameters)
        env.stack.append(_plain(response))

    patch.setattr(sdk.StateTaskServiceAwsSdk, "_eval_service_task", sdk_task)
    patch.setattr(functions, "boto_client_for", by_service)
    patch.setattr(queues, "boto_client_for", by_service)
    patch.setattr(topics, "boto_client_for", by_service)

    class OfSageMaker(callback.StateTaskServiceCallback):
        """``sagemaker:create….sync``: the job is made, and looked at until it has ended."""

        def __init__(self) -> None:
            super().__init__(supported_integration_patterns={"sync", "waitForTaskToken"})

        def _get_supported_parameters(self) -> Any:
            return None

        def _validate_service_integration_is_supported(self) -> None:
            return None

        def _from_error(self, env: Any, ex: Exception) -> Any:
            if isinstance(ex, ClientError):
                code = ex.response["Error"]["Code"]
                known = code in ("ResourceLimitExceeded", "ResourceInUse")
                error = f"SageMaker.{code if known else 'AmazonSageMaker'}Exception"
                return sdk.StateTaskServiceAwsSdk._get_task_failure_event(self, env, error, str(ex))
            if isinstance(ex, _JobFailed):
                return sdk.StateTaskServiceAwsSdk._get_task_failure_event(self, env, "States.TaskFailed", str(ex))
            return super()._from_error(env, ex)

        def _eval_service_task(self, env: Any, normalised_parameters: Any, **more: Any) -> None:
            asked = client("sagemaker")
            made = getattr(asked, _method(asked, self.resource.api_action))(**normalised_parameters)
            env.stack.append(_plain(made))

        def _build_sync_resolver(self, env: Any, normalised_parameters: Any, **more: Any) -> Any:
            env.stack.pop()
            kind = self.resource.api_action.removeprefix("create")
            name = {f"{kind}Name": normalised_parameters[f"{kind}Name"]}
            asked = client("sagemaker")

            def look() -> Any:
                found = _plain(getattr(asked, _method(asked, f"describe{kind}"))(**name))
                status = found[f"{kind}Status"]
                if status == "Completed":
                    return found
                if status in ("Failed", "Stopped"):
                    raise _JobFailed(json.dumps(found, separators=(",", ":")))
                return None

            return look

    before = factory.state_task_service_for

    def service_for(service_name: str) -> Any:
        return OfSageMaker() if service_name == "sagemaker" else before(service_name)

    patch.setattr(factory, "state_task_service_for", service_for)
    for module in list(_using(asl_parser, before)):
        patch.setattr(module, "state_task_service_for", service_for)
    patch.setattr(callback, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", 0.05)


class _JobFailed(Exception):
    pass


def _using(root: Any, function: Any) -> Iterator[Any]:
    """Modules that have taken the function by its name."""
    import sys

    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and getattr(module, "state_task_service_for", None) is function:
            yield module


def _method(client: Any, action: str) -> str:
    wanted = action.lower()
    return next(
        method for method, operation in client.meta.method_to_api_mapping.items() if operation.lower() == wanted
    )


def _plain(value: Any) -> Any:
    """As Step Functions hands replies on: JSON, with bodies as texts."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items() if key != "ResponseMetadata" and item is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat()
    return value.read().decode() if hasattr(value, "read") else value


def evaluated(expression: str) -> Any:
    """Of JSONata, with what Step Functions adds to it."""
    limit = sys.getrecursionlimit()
    from jsonata.jsonata import Jsonata

    sys.setrecursionlimit(limit)  # to load it gives the whole process ten times as much
    made = Jsonata(expression)
    made.register_lambda("hash", lambda text, how: hashlib.new(how.replace("-", ""), text.encode()).hexdigest())
    made.register_lambda("uuid", lambda: str(uuid.uuid4()))
    made.register_lambda("parse", json.loads)
    return made.evaluate(None)


def _evaluated(expression: str) -> Any:
    from moto.stepfunctions.parser.asl.jsonata.jsonata import JSONataException

    try:
        return evaluated(expression)
    except Exception as error:
        raise JSONataException("UNKNOWN", f"{error} in {expression[-400:]}") from error


def _hurried(value: Any) -> Any:
    """No wait takes long here, nor any before a try again."""
    if isinstance(value, dict):
        quick = {key: _hurried(item) for key, item in value.items()}
        if "BackoffRate" in value:
            quick |= {"IntervalSeconds": 1, "BackoffRate": 1}
        if value.get("Type") == "Wait" and value["Seconds"] != 1:
            quick["Seconds"] = 0
        return quick
    return [_hurried(item) for item in value] if isinstance(value, list) else value
