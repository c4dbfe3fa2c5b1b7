"""REST-JSON: members in path, query and headers, the others as a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import http_members, json_bodies
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.protocols import Protocol, Said

TYPE = "application/json"


def read(operation: OperationModel, request: Request) -> Mapping[str, Any]:
    return http_members.read(operation, request, _read_body)


def write(operation: OperationModel, reply: Mapping[str, Any], request_id: str) -> Reply:
    return http_members.write(operation, reply, _write_body, TYPE).also({"x-amzn-RequestId": request_id})


def refuse(refusal: Refusal, said: Said) -> Reply:
    body = json_bodies.dumped({said.message: refusal.message, **refusal.details})
    headers = {"Content-Type": TYPE, "x-amzn-ErrorType": refusal.code, "x-amzn-RequestId": said.request_id}
    return Reply(refusal.status, headers, body)


def _read_body(shape: Shape, body: bytes, payload: bool) -> dict[str, Any]:
    found: dict[str, Any] = json_bodies.read(shape, json_bodies.loaded(body))
    return found


def _write_body(operation: OperationModel, shape: Shape, members: Mapping[str, Any]) -> bytes:
    return json_bodies.dumped(json_bodies.written(shape, members))


PROTOCOL = Protocol(read, write, refuse)
