"""Smithy RPC v2 CBOR: the operation in the path, its members as a map of CBOR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from mlops.account.local.refusal import Refusal
from mlops.account.wire import cbor_bodies
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.protocols import Protocol, Said


def read(operation: OperationModel, request: Request) -> Mapping[str, Any]:
    body = cbor_bodies.loaded(request.whole_body())
    if operation.input_shape is None:
        return {}
    found: Mapping[str, Any] = cbor_bodies.read(operation.input_shape, body)
    return found


def write(operation: OperationModel, reply: Mapping[str, Any], request_id: str) -> Reply:
    into = bytearray()
    if operation.output_shape is not None:
        cbor_bodies.written(operation.output_shape, reply, into)
    else:
        into += cbor_bodies.texts_of({})
    return Reply(200, headers(request_id), bytes(into))


def refuse(refusal: Refusal, said: Said) -> Reply:
    told = {"__type": refusal.code, said.message: refusal.message}
    told |= {name: str(value) for name, value in refusal.details.items()}
    return Reply(refusal.status, headers(said.request_id) | said.query_error(refusal), cbor_bodies.texts_of(told))


def headers(request_id: str) -> dict[str, str]:
    return {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": request_id}


PROTOCOL = Protocol(read, write, refuse)
