"""AWS JSON 1.0 and 1.1: the operation in the header X-Amz-Target, its members as a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from mlops.account.local.refusal import Refusal
from mlops.account.wire import json_bodies
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.protocols import Protocol, Said


def read(operation: OperationModel, request: Request) -> Mapping[str, Any]:
    body = json_bodies.loaded(request.whole_body())
    if operation.input_shape is None:
        return {}
    try:
        found: Mapping[str, Any] = json_bodies.read(operation.input_shape, body)
    except RecursionError:
        raise Refusal("SerializationException", "The request is nested too deeply.") from None
    return found


def write(operation: OperationModel, reply: Mapping[str, Any], request_id: str) -> Reply:
    # Some services answer nothing, not even braces, where there is nothing to say.
    shape = operation.output_shape
    body = json_bodies.dumped(json_bodies.written(shape, reply)) if shape is not None else b"{}"
    return Reply(200, headers(operation.metadata.get("jsonVersion", "1.1"), request_id), body)


def refuse(refusal: Refusal, said: Said) -> Reply:
    body = json_bodies.dumped({"__type": refusal.code, said.message: refusal.message, **refusal.details})
    return Reply(refusal.status, headers("1.1", said.request_id) | said.query_error(refusal), body)


def headers(version: str, request_id: str) -> dict[str, str]:
    return {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id}


PROTOCOL = Protocol(read, write, refuse)
