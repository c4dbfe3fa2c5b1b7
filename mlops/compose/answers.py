"""The answers to AWS calls that a file makes while it is composed: the environment's own facts, what the file itself
uploaded or made, and what the project's author says in ``mlops.toml``."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import field
from io import BytesIO
from typing import Any

from mlops.compose.author_frames import author_line
from mlops.compose.described import described
from mlops.compose.looking_up import Question, question, typed
from mlops.compose.order import Order
from mlops.compose.stand_ins import is_stand_in, stand_in
from mlops.compose.timeless import timeless
from mlops.ir import Where
from mlops.ir.dataclass import dataclass

_WORD_FOR = {"status": "ACTIVE"}
"""What is said within an answer where the request says nothing."""
_QUESTIONS = ("List", "Search", "Simulate", "Query", "Scan", "BatchGet", "BatchDescribe", "Filter")
_STANDING = ("CreatePipeline", "UpdatePipeline", "StartPipelineExecution")
_JOBS = (
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
    "CreateHyperParameterTuningJob",
    "CreateAutoMLJob",
    "CreateAutoMLJobV2",
    "CreateCompilationJob",
    "CreateLabelingJob",
    "CreateEdgePackagingJob",
    "CreateInferenceRecommendationsJob",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call at the author's line. ``about`` is the name of what it is about, empty where it names nothing."""

    service: str
    operation: str
    about: str
    where: Where

    def __str__(self) -> str:
        return f"{self.service} {self.operation} {self.about}".strip()


@dataclass(slots=True)
class Answers:
    """The account as the SDK sees it while it composes."""

    order: Order
    uploads: dict[tuple[str, str], str] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    changes: list[Asked] = field(default_factory=list)
    """What would have changed the account."""
    unknown: list[Asked] = field(default_factory=list)
    """Questions that nobody here can answer."""
    questions: list[Question] = field(default_factory=list)
    """The same, as an account takes them."""
    made: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)
    """What the file made, by service, kind and name: the request."""
    documents: dict[str, str] = field(default_factory=dict)
    """The definitions of pipelines that it put into the account, by name."""
    starts: list[tuple[Where, Mapping[str, Any]]] = field(default_factory=list)
    """Where the file starts a pipeline, and with what request."""
    begun: bool = False
    """The file has begun to put a pipeline into an account, be it the SDK's local one."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stands(self) -> bool:
        """A pipeline is in the account as the file knows it: what follows is no part of composing."""
        return self.begun or any(change.operation in _STANDING for change in self.changes)

    @property
    def jobs(self) -> list[Asked]:
        """Jobs that were started at once, instead of being steps, before any pipeline stood."""
        found = []
        for change in self.changes:
            if change.operation in _STANDING:
                break
            if change.operation in _JOBS:
                found.append(change)
        return found

    def answer(self, client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Stands for botocore's ``_make_api_call``."""
        service = client.meta.service_model.service_name
        asked = Asked(service, operation, _about(service, operation, request), author_line(self.order))
        with self.lock:
            reply = self._given(asked)
            if reply is None and self._is_elsewhere(service, operation, request):
                reply = self._looked_up(client, asked, request)
            if reply is None:
                reply = self._answer(service, operation, request)
            if reply is None:
                reply = self._by_its_name(client, asked, request)
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

    def _given(self, asked: Asked) -> dict[str, Any] | None:
        """What the project says, about this one thing or about all of its kind."""
        for about in (str(asked), f"{asked.service} {asked.operation}"):
            if about in self.order.answers:
                answer = dict(self.order.answers[about])
                if asked.operation == "GetObject" and isinstance(answer.get("Body"), str):
                    content = answer["Body"].encode()
                    answer |= {"Body": _body(content), "ContentLength": len(content)}
                return answer
        return None

    def _looked_up(self, client: Any, asked: Asked, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """What an account on this machine says; without an answer the question is noted."""
        each = question(asked.service, asked.operation, request)
        found = self.order.looked_up.get(each.key)
        if found is None:
            self.questions.append(each)
            return None
        shape = client.meta.service_model.operation_model(asked.operation).output_shape
        reply: dict[str, Any] = typed(dict(found), shape)
        if "Body" in reply:
            reply["Body"] = _body(base64.b64decode(reply["Body"]))
        return reply

    def _is_elsewhere(self, service: str, operation: str, request: Mapping[str, Any]) -> bool:
        """Whether objects are asked for of which the file uploaded none."""
        if service != "s3" or operation not in ("GetObject", "HeadObject", "ListObjectsV2", "ListObjects"):
            return False
        beginning = request.get("Key", request.get("Prefix", ""))
        return not any(bucket == request["Bucket"] and key.startswith(beginning) for bucket, key in self.uploads)

    def _by_its_name(self, client: Any, asked: Asked, request: Mapping[str, Any]) -> dict[str, Any]:
        """Questions find what the file made and nothing else; what would change the account is noted, and answered as
        if it were done."""
        operation = asked.operation
        shape = client.meta.service_model.operation_model(operation).output_shape
        members = {} if shape is None else shape.members
        is_log = asked.service == "logs" and operation.startswith(("Describe", "Get"))
        if is_log or operation.startswith(_QUESTIONS):
            # A job that was not started has no log, and who follows one learns nothing that a pipeline needs.
            if not is_log:
                found = self._looked_up(client, asked, request)
                if found is not None:
                    return found
                self.unknown.append(asked)
            return {name: [] for name, member in members.items() if member.type_name == "list"}
        if operation.startswith(("Describe", "Get", "Head")):
            kind = operation.removeprefix("Describe").removeprefix("Get").removeprefix("Head")
            made = self.made.get((asked.service, kind, asked.about))
            if made is not None and shape is not None:
                return described(shape, kind, made, self._arn(asked.service, kind, asked.about))
            found = self._looked_up(client, asked, request)
            if found is not None:
                return found
            self.unknown.append(asked)
            raise _refusal("ResourceNotFound", f"{asked}: not known while composing", 404, operation)
        name = asked.about or "composing"
        self.changes.append(asked)
        if operation == "StartPipelineExecution":
            self.starts.append((asked.where, request))
        self._make(asked.service, operation, name, request)
        arns: dict[str, Any] = {
            member: self._arn(asked.service, member.removesuffix("Arn"), name)
            for member in members
            if member.endswith("Arn")
        }
        return arns | self._within(asked.service, members, name, request)

    def _within(
        self, service: str, members: Mapping[str, Any], name: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What stands within an answer, as the Role of iam's CreateRole: its ARN, and what the request says of it."""
        found: dict[str, Any] = {}
        for member, shape in members.items():
            inside = shape.members if shape.type_name == "structure" else {}
            arns = [inner for inner in inside if inner.lower().endswith("arn") and inside[inner].type_name == "string"]
            if arns:
                told = {name: _WORD_FOR.get(name.lower(), "") for name in inside if inside[name].type_name == "string"}
                told |= {inner: request[inner] for inner in inside if inner in request}
                found[member] = told | {inner: self._arn(service, member, name) for inner in arns}
        return found

    def _make(self, service: str, operation: str, name: str, request: Mapping[str, Any]) -> None:
        for verb in ("Create", "Update", "Start", "Put", "Register"):
            if operation.startswith(verb):
                kind = operation.removeprefix(verb)
                break
        else:
            return
        self.made[service, kind, name] = request
        self.made[service, kind, self._arn(service, kind, name)] = request
        if kind == "Pipeline" and service == "sagemaker":
            document = request.get("PipelineDefinition")
            place = request.get("PipelineDefinitionS3Location")
            if place is not None:
                content = self.uploads.get((place.get("Bucket", ""), place.get("ObjectKey", "")))
                document = None if content is None else (self.order.store / content).read_text(encoding="utf-8")
            if document is not None:
                self.documents[name] = document

    def _arn(self, service: str, kind: str, name: str) -> str:
        if name.startswith("arn:"):
            return name
        if service == "iam":
            return f"arn:aws:iam::{self.order.facts['account']}:{kind.lower()}/{name}"
        place = f"{self.order.facts['region']}:{self.order.facts['account']}"
        if kind == "PipelineExecution":
            return f"arn:aws:{service}:{place}:pipeline/{name}/execution/composing"
        return f"arn:aws:{service}:{place}:{kind.lower()}{':' if service == 'lambda' else '/'}{name}"

    def _keep(self, request: Mapping[str, Any], content: bytes) -> None:
        if is_stand_in(content):
            place = f"{request['Bucket']}/{request['Key']}"
            self.changes.append(Asked("s3", "PutObject", f"{place}, of what is not fetched", author_line(self.order)))
            return
        content = timeless(content)
        digest = hashlib.sha256(content).hexdigest()
        target = self.order.store / digest
        if not target.is_file():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
        self.uploads[request["Bucket"], request["Key"]] = digest

    def _object(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        digest = self.uploads.get((request["Bucket"], request["Key"]))
        if digest is None:
            place = f"s3://{request['Bucket']}/{request['Key']}"
            if _is_download():
                content = stand_in(place)
                described = {"ContentLength": len(content), "ETag": '"composing"'}
                return described if operation == "HeadObject" else {**described, "Body": _body(content)}
            code = "404" if operation == "HeadObject" else "NoSuchKey"
            if operation == "GetObject":
                about = f"{request['Bucket']}/{request['Key']}"
                self.unknown.append(Asked("s3", operation, about, author_line(self.order)))
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


def _is_download() -> bool:
    """Into a file, and not by a module of the SDK that wants to read it."""
    frame = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("s3transfer."):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


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


def _about(service: str, operation: str, request: Mapping[str, Any]) -> str:
    """The name that a request is about: of a pipeline rather than of what belongs to it."""
    noun = re.sub("^[A-Z][a-z]+", "", operation)
    if isinstance(request.get(f"{noun}Name"), str):
        return str(request[f"{noun}Name"])
    if service == "s3":
        return "/".join(str(request[key]) for key in ("Bucket", "Key") if key in request)
    named = [(key, value) for key, value in request.items() if isinstance(value, str)]
    for ending in ("Name", "Arn", "Id", "Key"):
        for key, value in named:
            if key.endswith(ending) and key not in ("ClientRequestToken", "RoleArn"):
                return value
    return ""
