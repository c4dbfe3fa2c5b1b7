"""InvokeEndpointAsync: a request that waits in the endpoint's folder for its process, which writes the answer to S3."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.process.serving.waiting import Waiting, wait_for
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import parts_of
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.services.sagemaker_runtime.invocations import HEADERS
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.ir.s3_uri import as_s3

_MOST_INLINE = 128_000
_TTL_SECONDS, _ANSWER_SECONDS = 21_600, 900
_KEPT = ("ContentType", "Accept", "CustomAttributes", "InferenceId")


def invoke_endpoint_async(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointName"]
    config = _configuration(state, name)
    given = b"".join(parts_of(request.get("Body")))
    if bool(given) == bool(request.get("InputLocation")):
        raise _wrong("Give exactly one of InputLocation and Body.")
    if len(given) > _MOST_INLINE:
        raise _wrong(f"Body has {len(given)} bytes, and {_MOST_INLINE} can be given inline: use InputLocation.")
    input = as_s3(request.get("InputLocation") or "")
    if input and not input.startswith("s3://"):
        raise _wrong("InputLocation has to be an s3:// URI here.")
    headers = {HEADERS[member]: str(request[member]) for member in _KEPT if request.get(member) is not None}
    for header, value in headers.items():
        if any(letter in "\r\n\0" or ord(letter) > 255 for letter in value):
            raise _wrong(f"A header of the request cannot be sent: {header} is no line of Latin letters.")
    wanted = config["OutputConfig"]
    if not wanted.get("S3OutputPath"):
        raise _wrong(f"The configuration of endpoint {name} has no S3OutputPath.")
    own = str(uuid.uuid4())
    told = request.get("InferenceId") or own
    now = time.time()
    at_once = (config.get("ClientConfig") or {}).get("MaxConcurrentInvocationsPerInstance")
    place = as_s3(wanted["S3OutputPath"]).rstrip("/")
    if extension := request.get("S3OutputPathExtension"):
        place = f"{place}/{extension.strip('/')}"
    output = f"{place}/{request.get('Filename') or f'{own}.out'}"
    failed = wanted.get("S3FailurePath")
    failure = f"{as_s3(failed).rstrip('/')}/{own}-error.out" if failed else None
    waiting = Waiting(
        id=told,
        endpoint=name,
        input=input,
        output=output,
        failure=failure,
        headers=headers,
        came=now,
        until=now + (request.get("RequestTTLSeconds") or _TTL_SECONDS),
        seconds=float(request.get("InvocationTimeoutSeconds") or _ANSWER_SECONDS),
        body=given.decode("latin-1"),
        **({} if at_once is None else {"at_once": at_once}),
    )
    wait_for(state.endpoint_folder(name), waiting)
    return {
        "InferenceId": told,
        "OutputLocation": output,
        **({"FailureLocation": failure} if failure is not None else {}),
    }


def _configuration(state: State, name: str) -> Mapping[str, Any]:
    """Its AsyncInferenceConfig."""
    try:
        body = endpoints.found(state, name)
    except Refusal:
        raise _wrong(f"Endpoint {name} of account {ACCOUNT_ID} not found.") from None
    if body["Status"] not in endpoints.SERVING:
        raise _wrong(f"Endpoint {name} cannot be invoked while it is {body['Status']}.")
    found = endpoints.config(state, body["EndpointConfigName"]).get("AsyncInferenceConfig")
    if found is None:
        raise _wrong(f"Endpoint {name} answers at once: its configuration has no AsyncInferenceConfig.")
    asynchronous: Mapping[str, Any] = found
    return asynchronous


def _wrong(message: str) -> Refusal:
    return Refusal("ValidationError", message)


OPERATIONS = {"InvokeEndpointAsync": invoke_endpoint_async}
