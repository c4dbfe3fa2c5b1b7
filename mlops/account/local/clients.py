"""boto3 clients that are answered in this process.

botocore builds and validates the request as ever. Its ``before-parameter-build`` event shows the parameters before
they become bytes; they are kept by reference, since later handlers fill in tokens. ``before-call`` may return
``(http, parsed)``, and then nothing is sent.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.model import OperationModel
from botocore.response import StreamingBody

from mlops.account.local.answering import answer
from mlops.account.local.refusal import Refusal
from mlops.account.local.shapes import conform, models
from mlops.account.local.state import State


class Clients:
    def __init__(self, state: State) -> None:
        self._state = state
        self._made: dict[str, Any] = {}
        self._lock = Lock()
        self._session = self._private_session()
        # Missing in the stubs: what AWS_ENDPOINT_URL says is not for us.
        config: Any = Config
        self._config = config(ignore_configured_endpoint_urls=True, retries={"total_max_attempts": 1})

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                # The stubs know each service by a literal.
                make: Any = self._session.client
                self._made[service] = make(
                    service,
                    config=self._config,
                )
            return self._made[service]

    def _private_session(self) -> boto3.Session:
        """Reads neither the user's profile nor his credentials, so that a broken AWS setup does no harm here."""
        # Below a file there is nothing, whatever that file is.
        nothing = (None, None, os.path.join(os.devnull, "nothing"), None)  # noqa: PTH118
        core = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": nothing,
                "credentials_file": nothing,
            }
        )
        core.register_component("data_loader", models())
        core.set_credentials("local", "local")
        events = core.get_component("event_emitter")
        events.register_first("before-parameter-build", _capture)
        events.register_first("before-call", self._answer)
        events.register_first("before-send", _never_send)
        return boto3.Session(botocore_session=core, region_name=self._state.region)

    def _answer(self, model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        request = context.pop("local_request")
        service = model.service_model.service_name
        try:
            reply = conform(model.output_shape, answer(self._state, service, model.name, request)) or {}
            if model.name == "GetObject":
                reply["Body"] = StreamingBody(reply["Body"], reply["ContentLength"])
            status = 200
        except Refusal as refusal:
            reply = {"Error": {"Code": refusal.code, "Message": refusal.message}, **refusal.details}
            status = refusal.status
        return _response(status, reply)


def _capture(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["local_request"] = params


def _never_send(request: Any, **_: Any) -> None:
    raise RuntimeError(f"a request was about to leave the local account: {request.method} {request.url}")


def _response(status: int, reply: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    reply["ResponseMetadata"] = {
        "RequestId": str(uuid.uuid4()),
        "HTTPStatusCode": status,
        "HTTPHeaders": {},
        "RetryAttempts": 0,
    }
    # botocore reads the status and nothing else; headers and body were parsed already.
    headers: Any = {}
    return AWSResponse("local:", status, headers, None), reply
