"""The answers to AWS calls that the SDK makes while it composes: the environment's own facts, and what it uploaded."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from mlops.compose.order import Order
from mlops.compose.timeless import timeless
from mlops.project.files import write_bytes
from mlops.project.private import FILE, private_folder, state_folder


@dataclass(slots=True)
class Answers:
    """The account as the SDK sees it while it composes."""

    order: Order
    uploads: dict[tuple[str, str], str] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Stands for botocore's ``_make_api_call``."""
        service = client.meta.service_model.service_name
        with self.lock:
            reply = self._answer(service, operation, request)
            if reply is None:
                reply = self._by_its_name(client, service, operation, request)
        reply.setdefault("ResponseMetadata", {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RequestId": "composing"})
        return reply

    def _answer(self, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        facts = self.order.facts
        match service, operation:
            case "sts", "GetCallerIdentity":
                # Of a role that is assumed, so that get_execution_role() finds it.
                role = facts["role"].rpartition("/")[2]
                arn = f"arn:aws:sts::{facts['account']}:assumed-role/{role}/mlops"
                return {"Account": facts["account"], "UserId": "mlops", "Arn": arn}
            case "iam", "GetRole":
                name = request.get("RoleName", "")
                own = facts["role"].rpartition("/")[2] == name
                arn = facts["role"] if own else f"arn:aws:iam::{facts['account']}:role/{name}"
                trust = {
                    "Effect": "Allow",
                    "Principal": {"Service": "sagemaker.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
                return {"Role": {"Arn": arn, "RoleName": name, "AssumeRolePolicyDocument": {"Statement": [trust]}}}
            case "sagemaker", "DescribeModel":
                # Asked before a transform of a model that exists, to see whether it is one of local mode.
                return {"ModelName": request["ModelName"], "PrimaryContainer": {"Image": ""}}
            case "s3", "HeadBucket" | "GetBucketLocation":
                return {}
            case "s3", "PutObject":
                self._keep(request, _content(request.get("Body", b"")))
                return {"ETag": '"composing"'}
            case "s3", "CreateMultipartUpload":
                upload = f"{request['Bucket']}/{request['Key']}"
                self.parts[upload] = {}
                return {"UploadId": upload}
            case "s3", "UploadPart":
                self.parts[request["UploadId"]][request["PartNumber"]] = _content(request["Body"])
                return {"ETag": '"composing"'}
            case "s3", "CompleteMultipartUpload":
                parts = self.parts.pop(request["UploadId"])
                self._keep(request, b"".join(parts[number] for number in sorted(parts)))
                return {"ETag": '"composing"'}
            case "s3", "GetObject" | "HeadObject":
                return self._object(operation, request)
            case "s3", "ListObjectsV2" | "ListObjects":
                return self._listing(request)
        return None

    def _by_its_name(self, client: Any, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Questions find nothing; what would change the account is noted, and answered as if it were done."""
        shape = client.meta.service_model.operation_model(operation).output_shape
        members = {} if shape is None else shape.members
        if operation.startswith(("List", "Search", "Simulate")):
            return {name: [] for name, member in members.items() if member.type_name == "list"}
        if operation.startswith(("Describe", "Get", "Head", "BatchGet", "BatchDescribe")):
            raise _refusal("ResourceNotFound", f"{service} {operation}: not known while composing", 404, operation)
        name = next((str(value) for key, value in request.items() if key.endswith("Name")), "composing")
        self.changes.append(f"{service} {operation} {name}")
        return {
            member: f"arn:aws:{service}:{self.order.facts['region']}:{self.order.facts['account']}:"
            f"{member.removesuffix('Arn').lower()}{':' if service == 'lambda' else '/'}{name}"
            for member in members
            if member.endswith("Arn")
        }

    def _keep(self, request: Mapping[str, Any], content: bytes) -> None:
        content = timeless(content)
        digest = hashlib.sha256(content).hexdigest()
        target = self.order.store / digest
        if not target.is_file() or target.read_bytes() != content:
            state_folder(target.parent.parent)
            private_folder(target.parent)
            write_bytes(target, content, mode=FILE)
        self.uploads[request["Bucket"], request["Key"]] = digest

    def _object(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        digest = self.uploads.get((request["Bucket"], request["Key"]))
        if digest is None:
            place = f"s3://{request['Bucket']}/{request['Key']}"
            code = "404" if operation == "HeadObject" else "NoSuchKey"
            raise _refusal(
                code, f"{place} was not uploaded by this file; nothing is fetched while composing", 404, operation
            )
        content = (self.order.store / digest).read_bytes()
        described = {"ContentLength": len(content), "ETag": f'"{digest[:32]}"'}
        return described if operation == "HeadObject" else {**described, "Body": _body(content)}

    def _listing(self, request: Mapping[str, Any]) -> dict[str, Any]:
        prefix = request.get("Prefix", "")
        keys = sorted(key for bucket, key in self.uploads if bucket == request["Bucket"] and key.startswith(prefix))
        listed = [{"Key": key, "Size": 0, "ETag": '"composing"'} for key in keys]
        return {"Contents": listed, "KeyCount": len(keys), "IsTruncated": False} if keys else {"KeyCount": 0}


def _content(body: Any) -> bytes:
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content)


def _body(content: bytes) -> Any:
    from botocore.response import StreamingBody

    return StreamingBody(BytesIO(content), len(content))


def _refusal(code: str, message: str, status: int, operation: str) -> Exception:
    from botocore.exceptions import ClientError

    error: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    refused: Exception = ClientError(error, operation)
    return refused
