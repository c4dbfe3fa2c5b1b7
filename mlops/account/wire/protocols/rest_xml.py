"""REST-XML: members in path, query and headers, the others as elements. S3 speaks it, with errors of its own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import http_members, xml_bodies
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.protocols import Protocol, Said

TYPE = "application/xml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""How S3's API reference calls the roots of replies. botocore's model has left that out, since botocore reads any."""


def read(operation: OperationModel, request: Request) -> Mapping[str, Any]:
    return http_members.read(operation, request, _read_body)


def write(operation: OperationModel, reply: Mapping[str, Any], request_id: str) -> Reply:
    return http_members.write(operation, reply, _write_body, TYPE).also({"x-amz-request-id": request_id})


def refuse(refusal: Refusal, said: Said) -> Reply:
    headers = {"Content-Type": TYPE, "x-amz-request-id": said.request_id}
    if said.service == "s3":
        if refusal.status in (304, 404) and refusal.code.isdigit():
            return Reply(refusal.status, headers)
        told = {"Code": refusal.code, "Message": refusal.message, **refusal.details}
        body = xml_bodies.of_texts("Error", {**told, "Resource": said.resource, "RequestId": said.request_id})
    else:
        body = xml_bodies.error_response(refusal, said.request_id)
    return Reply(refusal.status, headers, (HEAD + body).encode(errors="replace"))


def _read_body(shape: Shape, body: bytes, payload: bool) -> dict[str, Any]:
    if not body:
        return {}
    found: dict[str, Any] = xml_bodies.read(shape, [xml_bodies.loaded(body)])
    return found


def _write_body(operation: OperationModel, shape: Shape, members: Mapping[str, Any]) -> bytes:
    service = operation.service_model
    root = shape.serialization.get("name") or _ROOTS.get(operation.name, shape.name)
    namespace = service.metadata.get("xmlNamespace") or f"http://{service.endpoint_prefix}.amazonaws.com/doc/"
    if service.service_name == "s3":
        namespace = f"http://s3.amazonaws.com/doc/{service.api_version}/"
        if operation.name == "GetBucketLocation":  # the one reply whose member is the root's own text
            text = xml_bodies.quoted(members.get("LocationConstraint") or "")
            return f'{HEAD}<LocationConstraint xmlns="{namespace}">{text}</LocationConstraint>'.encode()
    inner = "".join(xml_bodies.members(shape, members))
    return f'{HEAD}<{root} xmlns="{xml_bodies.quoted(namespace)}">{inner}</{root}>'.encode()


PROTOCOL = Protocol(read, write, refuse)
