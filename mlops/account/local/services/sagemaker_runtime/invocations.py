"""InvokeEndpoint: an HTTP request to the endpoint's process."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from mlops.account.local.process.router.wire import (
    ANSWER_SECONDS,
    BIGGEST_BODY,
    CUSTOM_ATTRIBUTES,
    INFERENCE_COMPONENT,
    INFERENCE_ID,
    INVOKED_VARIANT,
    SESSION_ID,
    TARGET_CONTAINER,
    TARGET_MODEL,
    TARGET_VARIANT,
)
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import parts_of
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.state import ACCOUNT_ID, State

HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": CUSTOM_ATTRIBUTES,
    "TargetVariant": TARGET_VARIANT,
    "TargetModel": TARGET_MODEL,
    "TargetContainerHostname": TARGET_CONTAINER,
    "InferenceComponentName": INFERENCE_COMPONENT,
    "InferenceId": INFERENCE_ID,
    "SessionId": SESSION_ID,
}


def invoke_endpoint(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    from botocore.response import StreamingBody

    connection, reply = asking(state, request, "invocations")
    try:
        answer = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise _silent(error) from error
    finally:
        connection.close()
    if reply.status != 200:
        raise refusal_of(reply.status, answer)
    told = reply.headers
    return {
        "Body": StreamingBody(BytesIO(answer), len(answer)),
        "ContentType": told.get("Content-Type"),
        "InvokedProductionVariant": told.get(INVOKED_VARIANT),
        "CustomAttributes": told.get(CUSTOM_ATTRIBUTES),
    }


def _port(state: State, name: str) -> int:
    try:
        body = endpoints.found(state, name)
    except Refusal:
        raise Refusal("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.") from None
    if body["Status"] in ("Updating", "RollingBack") and not body.get("Port"):
        raise Refusal("ServiceUnavailable", f"Endpoint {name} is being revived; try again.", 503)
    if body["Status"] not in endpoints.SERVING or not body.get("Port"):
        said = f": {body['FailureReason']}" if body.get("FailureReason") else ""
        raise Refusal("ValidationError", f"Endpoint {name} cannot be invoked while it is {body['Status']}{said}.")
    return int(body["Port"])


def asking(
    state: State, request: Mapping[str, Any], what: str
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """The head of the answer, and the connection to be closed when that is read."""
    name = request["EndpointName"]
    content = b"".join(parts_of(request.get("Body")))
    if len(content) > BIGGEST_BODY:
        raise Refusal("ValidationError", f"Request body exceeds {BIGGEST_BODY} bytes.")
    headers = {header: request[member] for member, header in HEADERS.items() if request.get(member) is not None}
    connection = http.client.HTTPConnection("127.0.0.1", _port(state, name), timeout=ANSWER_SECONDS + 5)
    try:
        connection.request("POST", f"/endpoints/{name}/{what}", content, headers)
        return connection, connection.getresponse()
    except ValueError as error:
        connection.close()
        raise Refusal("ValidationError", f"A header of the request cannot be sent: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _silent(error) from error


def _silent(error: Exception) -> Refusal:
    return Refusal("ServiceUnavailable", f"the endpoint's process does not answer: {error!r}", 503)


def refusal_of(status: int, answer: bytes) -> Refusal:
    said = json.loads(answer)
    code, message = said.pop("Code"), said.pop("Message")
    return Refusal(code, message, status, **said)


OPERATIONS = {"InvokeEndpoint": invoke_endpoint}
