"""Runs a pipeline file that is written with the official SDK, in a process of its own, and answers the AWS calls that
the SDK makes while it composes.

    python -m mlops.compose.composing < order.json

Nothing leaves the process: uploads are kept below the order's ``store`` by their content, questions about the account
are answered with the environment's own facts, what would change the account is noted and not done. What comes out is
written to the order's ``result``. The SDK itself is not imported here: the user's file does that.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib
import inspect
import itertools
import json
import logging
import os
import re
import socket
import sys
import threading
import time
import tokenize
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.machinery import SourceFileLoader
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn, Self

from mlops.compose.content_stamps import STAMP, by_content
from mlops.compose.reading import Reading
from mlops.compose.timeless import timeless
from mlops.declare.load import MODULE, raised, syntax
from mlops.ir import Finding
from mlops.project.files import write_bytes
from mlops.project.private import FILE, private_folder, state_folder
from mlops.project.root import STATE

_HASHED = re.compile(r"(?:^|/)[0-9a-f]{32,64}/")
"""The SDK's own names by content. What a file uploads by itself has a name that says nothing."""

FUNCTION = "get_pipeline"
"""How SageMaker's project templates call the function that builds the pipeline."""


@dataclass(slots=True)
class Order:
    """``facts`` are what the environment knows: region, account, role, bucket and the project's name."""

    file: Path
    root: Path
    name: str | None
    store: Path
    result: Path
    facts: Mapping[str, str]


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
            case "s3", "HeadBucket" | "CreateBucket" | "GetBucketLocation":
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
            case "s3", "DeleteObject" | "DeleteObjects":
                return {}
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


def compose(order: Order) -> dict[str, Any]:
    """The answer as JSON: pipelines with their definitions, uploads, noted changes, findings."""
    answers = Answers(order)
    _no_bytecode_below(order.root)
    reading = Reading(order.root, (order.root / STATE, order.root / ".git", Path(sys.prefix)))
    _isolate(order.facts["region"], answers, nowhere=order.result.with_name("no-aws-configuration"))
    findings: list[Finding] = []
    pipelines = []
    for pipeline in _pipelines(order, findings):
        try:
            definition = pipeline.definition()
        except (Exception, SystemExit) as error:
            name = _text(getattr(pipeline, "name", "the pipeline"))
            findings.append(replace(_of_the_users(error, order, f"composing {name} failed"), step=name))
        else:
            pipelines.append({"name": _text(pipeline.name), "definition": definition})
    uploads = {place: content for place, content in answers.uploads.items() if "/__pycache__/" not in place[1]}
    definitions, placed = by_content(
        [item["name"] for item in pipelines], [item["definition"] for item in pipelines], uploads
    )
    return {
        "pipelines": [
            {**item, "definition": definition} for item, definition in zip(pipelines, definitions, strict=True)
        ],
        "uploads": [
            {"bucket": bucket, "key": key, "content": content, "in_place": key == counted and not _HASHED.search(key)}
            for ((bucket, key), content), (_, counted) in zip(placed.items(), uploads, strict=True)
        ],
        "changes": sorted(set(answers.changes)),
        "reads": sorted(map(str, reading.paths)),
        "findings": [
            {
                "code": item.code,
                "message": item.message,
                "help": item.help,
                "file": item.where.file,
                "line": item.where.line,
                "about": item.step,
            }
            for item in findings
        ],
    }


def _text(name: object) -> str:
    """A pipeline's name may be a parameter of the SDK with a default."""
    return name if isinstance(name, str) else str(getattr(name, "default_value", name))


def _isolate(region: str, answers: Answers, *, nowhere: Path) -> None:
    """No credentials, no network, no clock in names; the SDK's chatter is kept down. ``nowhere`` is a file that is not
    there, in place of AWS's own."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[variable]
    os.environ |= {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "composing",
        "AWS_SECRET_ACCESS_KEY": "composing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(nowhere),
        "AWS_SHARED_CREDENTIALS_FILE": str(nowhere),
    }
    from botocore.client import BaseClient

    def make_api_call(client: Any, operation_name: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
        return answers.answer(client, operation_name, api_params)

    BaseClient._make_api_call = make_api_call
    socket.socket.connect = _refuse_connection  # type: ignore[method-assign]
    socket.getaddrinfo = _refuse_connection
    warnings.simplefilter("ignore")
    os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
    logging.disable(logging.ERROR)
    _without_clock(answers.order.file)


def _refuse_connection(*arguments: object, **_: object) -> NoReturn:
    raise ConnectionRefusedError("nothing is connected to while a pipeline is composed")


def _without_clock(file: Path) -> None:
    """The SDK names jobs and uploads by the time; archives hold it too."""
    original = gzip.GzipFile.__init__

    def timeless(self: gzip.GzipFile, *arguments: Any, **more: Any) -> None:
        if len(arguments) < 5:
            more["mtime"] = more.get("mtime") or 0
        original(self, *arguments, **more)

    gzip.GzipFile.__init__ = timeless  # type: ignore[method-assign]
    count = iter(range(1, 1_000_000))
    for name in ("sagemaker.utils", "sagemaker.core.common_utils"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            for function in ("sagemaker_timestamp", "sagemaker_short_timestamp"):
                if hasattr(module, function):
                    setattr(module, function, lambda: STAMP.format(next(count)))

    class Counted(datetime):
        """Its present is a second later each time that it is asked."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2000, 1, 1, tzinfo=tz) + timedelta(seconds=next(count))

    _count_time()
    # Only where the file imports them anyway: they are slow.
    for name in ("sagemaker.train.utils", "sagemaker.core.modules.utils"):
        if name.rpartition(".")[0].encode() in file.read_bytes():
            with contextlib.suppress(ImportError):
                importlib.import_module(name).datetime = Counted  # type: ignore[attr-defined]


def _no_bytecode_below(root: Path) -> None:
    """Composing leaves nothing in the project. The SDK's own bytecode may be kept: compiling it takes longer than all
    that follows, and an environment that was made without has none."""
    keep = SourceFileLoader.set_data

    def set_data(loader: SourceFileLoader, path: str, data: Any, **mode: Any) -> None:
        if Path(path).is_relative_to(sys.prefix) or not Path(path).is_relative_to(root):
            keep(loader, path, data, **mode)

    SourceFileLoader.set_data = set_data  # type: ignore[method-assign, assignment]


def _count_time() -> None:
    """Seconds since 1970 are counted too, but only for the SDK's own modules, each for itself: the author's file and
    botocore keep the clock."""
    original = time.time
    first = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    counts: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(first))

    def present() -> float:
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        return float(next(counts[caller])) if caller.startswith("sagemaker.") else original()

    time.time = present


def _pipelines(order: Order, findings: list[Finding]) -> list[Any]:
    """The SDK's pipelines that the file made, or that its function gives."""
    try:
        with tokenize.open(order.file) as source:
            code = compile(source.read(), str(order.file), "exec", dont_inherit=True)
    except SyntaxError as error:
        findings.append(syntax(error, order.file))
        return []
    namespace = _executed(order, code, findings)
    if namespace is None:
        return []
    made = {id(item): item for item in namespace.values() if _is_pipeline(item)}
    if order.name is None:
        function = namespace.get(FUNCTION)
        return _called(function, order, findings) if not made and inspect.isfunction(function) else list(made.values())
    named = [item for item in made.values() if _text(item.name) == order.name]
    if named:
        return named
    function = namespace.get(order.name)
    if _is_pipeline(function):
        return [function]
    if inspect.isfunction(function):
        return _called(function, order, findings)
    return _of_that_name(order.name, list(made.values()), namespace.get(FUNCTION), order, findings)


def _of_that_name(name: str, made: list[Any], function: object, order: Order, findings: list[Finding]) -> list[Any]:
    """Of what ``get_pipeline`` gives, or a mistake that names what is there."""
    if not made and inspect.isfunction(function):
        made = _called(function, order, findings)
        if not made:
            return []
    named = [item for item in made if _text(item.name) == name]
    if not named:
        there = ", ".join(sorted(_text(item.name) for item in made))
        help = f"here is {there}" if there else "leave it in a variable, or give it from a function get_pipeline()"
        findings.append(_finding(f"no pipeline and no function is called {name!r}", order.file, 1, help))
    return named


def _executed(order: Order, code: Any, findings: list[Finding]) -> dict[str, Any] | None:
    """The file's names. It runs where it lies; where a file is not found from there, in the project's root again."""
    package = _package(order.file)
    top = order.file.parents[package.count(".") + 1 if package else 0]
    sys.path[:0] = list(dict.fromkeys(map(str, (order.file.parent, top, order.root))))
    failed: Exception | SystemExit | None = None
    for folder in dict.fromkeys((order.file.parent, order.root)):
        os.chdir(folder)
        namespace = {
            "__name__": MODULE,
            "__file__": str(order.file),
            "__package__": package,
            "__builtins__": __builtins__,
        }
        try:
            exec(code, namespace)  # noqa: S102 - a pipeline file is a program
        except (OSError, ValueError) as error:
            failed = failed or error
        except (Exception, SystemExit) as error:
            failed = failed or error
            break
        else:
            return namespace
    if failed is not None:
        findings.append(_of_the_users(failed, order, None))
    return None


def _package(file: Path) -> str:
    """The dotted package of a file that lies in one, so that its relative imports work."""
    names: list[str] = []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _is_pipeline(item: object) -> bool:
    kind = type(item)
    bases = [base for base in kind.__mro__ if base.__name__ == "Pipeline" and base.__module__.startswith("sagemaker")]
    return bool(bases) and callable(getattr(item, "definition", None))


def _called(function: Callable[..., Any], order: Order, findings: list[Finding]) -> list[Any]:
    """What ``get_pipeline`` gives; its arguments are the environment's, by the names that project templates use."""
    facts = order.facts
    known = {
        "region": facts["region"],
        "region_name": facts["region"],
        "aws_region": facts["region"],
        "role": facts["role"],
        "role_arn": facts["role"],
        "execution_role": facts["role"],
        "sagemaker_role": facts["role"],
        "account_id": facts["account"],
        "sagemaker_project_name": facts["project"],
        "project_name": facts["project"],
        "pipeline_name": facts["project"],
        "default_bucket": f"sagemaker-{facts['region']}-{facts['account']}",
        "bucket": f"sagemaker-{facts['region']}-{facts['account']}",
    }
    given: dict[str, Any] = {}
    line = function.__code__.co_firstlineno
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty:
            continue
        if parameter.name not in known:
            message = f"{function.__name__} wants {parameter.name!r}, and nothing here knows it"
            findings.append(_finding(message, order.file, line, f"give {parameter.name} a default"))
            return []
        given[parameter.name] = known[parameter.name]
    try:
        made = function(**given)
    except (Exception, SystemExit) as error:
        findings.append(_of_the_users(error, order, None))
        return []
    listed = list(made) if isinstance(made, list | tuple) else [made]
    pipelines = [item for item in listed if _is_pipeline(item)]
    if not pipelines:
        findings.append(_finding(f"{function.__name__} gives no pipeline but {type(made).__name__}", order.file, line))
    return pipelines


def _of_the_users(error: BaseException, order: Order, doing: str | None) -> Finding:
    """The finding of what the file or the SDK raised, with the mend where we know one."""
    found = raised(error, order.file)
    help = None
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "sagemaker":
        help = "the file is written for another version of the SDK than the one that is installed beside mlops"
    message = found.message if doing is None else f"{doing}: {found.message.removeprefix('running the file failed: ')}"
    return Finding(found.code, found.name, found.severity, message, help=help, where=found.where)


def _finding(message: str, file: Path, line: int, help: str | None = None) -> Finding:
    from mlops.declare.mistakes import MISTAKES
    from mlops.ir import Severity, Where

    return Finding("D102", MISTAKES["D102"].name, Severity.ERROR, message, help=help, where=Where(str(file), line))


@contextlib.contextmanager
def _standard_output_to_error() -> Iterator[None]:
    os.dup2(2, 1)
    with contextlib.redirect_stdout(sys.stderr):
        yield


def main() -> None:
    given = json.load(sys.stdin)
    order = Order(
        file=Path(given["file"]),
        root=Path(given["root"]),
        name=given["name"],
        store=Path(given["store"]),
        result=Path(given["result"]),
        facts=given["facts"],
    )
    with _standard_output_to_error():
        answer = compose(order)
    order.result.write_text(json.dumps(answer), encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # the SDK leaves threads behind that would keep the process


if __name__ == "__main__":
    main()
