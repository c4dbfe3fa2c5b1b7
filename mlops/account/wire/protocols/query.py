"""The query protocol: the operation and its members as a form, the reply as XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from mlops.account.local.refusal import Refusal
from mlops.account.wire import form_bodies, xml_bodies
from mlops.account.wire.messages import Reply, Request, pairs
from mlops.account.wire.protocols import Protocol, Said

TYPE = "text/xml"


def form(request: Request) -> list[tuple[str, str]]:
    """Of the query and the body. Raises Refusal."""
    try:
        return [*request.query, *pairs(request.whole_body().decode())]
    except ValueError:
        raise Refusal("MalformedQueryString", "The body is not a form.") from None


def read(operation: OperationModel, request: Request) -> Mapping[str, Any]:
    if operation.input_shape is None:
        return {}
    found: Mapping[str, Any] = form_bodies.read(operation.input_shape, form_bodies.tree(form(request)))
    return found


def write(operation: OperationModel, reply: Mapping[str, Any], request_id: str) -> Reply:
    shape = operation.output_shape
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        result = f"<{wrapper}>{''.join(xml_bodies.members(shape, reply))}</{wrapper}>"
    namespace = xml_bodies.quoted(operation.metadata.get("xmlNamespace", ""))
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    body = f'<{operation.name}Response xmlns="{namespace}">{result}{metadata}</{operation.name}Response>'
    return Reply(200, headers(request_id), body.encode())


def refuse(refusal: Refusal, said: Said) -> Reply:
    body = xml_bodies.error_response(refusal, said.request_id)
    return Reply(refusal.status, headers(said.request_id), body.encode(errors="replace"))


def headers(request_id: str) -> dict[str, str]:
    return {"Content-Type": TYPE, "x-amzn-RequestId": request_id}


PROTOCOL = Protocol(read, write, refuse)
