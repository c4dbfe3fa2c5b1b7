"""Functions: their code unpacked below the account's folder, named by what is in it, so that a call goes on with what
it began with."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import lzma
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.project.private import FILE, FOLDER, private_folder
from mlops.run.functions import FunctionFailed, call, environment_of
from mlops.run.ports import Function
from mlops.run.sandbox import Box, probe

KIND = "Function"
_ARN = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?(?:(\d{12}):)?(?:function:)?([A-Za-z0-9_-]+)(?::([A-Za-z0-9$_-]+))?"
)
_LARGEST = 250 * 1024 * 1024  # unzipped (Lambda quotas)
_TAIL = 4096  # of LogResult
_PAUSE_SECONDS = 0.05
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_KEPT = ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment", "Tags")
_DEFAULTS: Mapping[str, Any] = {"Timeout": 3, "MemorySize": 128}


def create_function(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(request["FunctionName"])
    runtime = request.get("Runtime")
    if request.get("PackageType") == "Image" or request["Code"].get("ImageUri"):
        raise _invalid("Functions that are images are not run by the local account; give Code as a zip.")
    if not isinstance(runtime, str) or not runtime.startswith("python") or not request.get("Handler"):
        raise _invalid("The local account runs functions of Python: give a Runtime of python3.x and a Handler.")
    body = {**_DEFAULTS, **{member: request[member] for member in _KEPT if request.get(member) is not None}}
    body |= _unpacked(state, name, _zip(state, request["Code"]))
    conflict = Refusal("ResourceConflictException", f"Function already exist: {name}", 409)
    resources.insert(state, KIND, name, body, taken=conflict)
    return _told(state, name)


def update_function_code(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(request["FunctionName"])
    body = _found(state, name)
    new = _unpacked(state, name, _zip(state, request))
    if not request.get("DryRun"):
        resources.replace(state, KIND, name, {**body, **new})
    return _told(state, name)


def update_function_configuration(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(request["FunctionName"])
    given = {member: request[member] for member in _KEPT if request.get(member) is not None and member != "Tags"}
    resources.replace(state, KIND, name, {**_found(state, name), **given})
    return _told(state, name)


def get_function(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(request["FunctionName"])
    tags = _found(state, name).get("Tags")
    return {"Configuration": _told(state, name), "Code": {"RepositoryType": "S3"}, **({"Tags": tags} if tags else {})}


def get_function_configuration(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _told(state, _name(request["FunctionName"]))


def list_functions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    after, most = request.get("Marker") or "", min(request.get("MaxItems") or 50, 50)
    rows = state.store.all(
        "SELECT name FROM resource WHERE kind = ? AND name > ? ORDER BY name LIMIT ?", KIND, after, most + 1
    )
    names = [row["name"] for row in rows]
    marker = {"NextMarker": names[most - 1]} if len(names) > most else {}
    return {"Functions": [_told(state, name) for name in names[:most]], **marker}


def names(state: State) -> frozenset[str]:
    return frozenset(row["name"] for row in state.store.all("SELECT name FROM resource WHERE kind = ?", KIND))


def delete_function(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(request["FunctionName"])
    _found(state, name)
    resources.remove(state, KIND, name, _arn(state, name))
    shutil.rmtree(_folder(state, name), ignore_errors=True)
    return {}


def invoke(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Called once, in a folder of its own. ``Event`` too is answered when it is over: nobody would go on with it."""
    name = _name(request["FunctionName"])
    function = function_of(state, name)
    if function is None:
        raise _missing(state, name)
    kind = request.get("InvocationType") or "RequestResponse"
    if kind == "DryRun":
        return {"StatusCode": 204}
    payload = request.get("Payload") or b"{}"
    raw = payload.read() if hasattr(payload, "read") else payload
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refusal("InvalidRequestContentException", f"Could not parse request body into json: {error}") from None
    value, failed, log = called(state, function, event)
    if kind == "Event":
        return {"StatusCode": 202}
    from botocore.response import StreamingBody  # a run asks for functions, and never for this

    answer = json.dumps(value).encode()
    return {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": StreamingBody(io.BytesIO(answer), len(answer)),
        **({"FunctionError": "Unhandled"} if failed else {}),
        **({"LogResult": base64.b64encode(log[-_TAIL:]).decode()} if request.get("LogType") == "Tail" else {}),
    }


def called(state: State, function: Function, event: Any) -> tuple[Any, bool, bytes]:
    """What it answered, or Lambda's document of its error; whether that is one; and its log."""
    folder = Path(tempfile.mkdtemp(prefix="call-", dir=private_folder(state.folder / "functions")))
    log = folder / "log.txt"
    log.touch()
    try:
        under_way = call(function, event, Box(folder / "ml", folder / "scratch", probe()), log, request=folder.name)
        try:
            while not under_way.over():
                under_way.boxed.wait(_PAUSE_SECONDS)  # no other's: several threads call functions
            return under_way.answer(), False, log.read_bytes()
        except FunctionFailed as fault:
            trace = {"stackTrace": list(fault.trace)} if fault.trace else {}
            return {"errorMessage": fault.message, "errorType": fault.type, **trace}, True, log.read_bytes()
        finally:
            under_way.boxed.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def function_of(state: State, name_or_arn: str) -> Function | None:
    """With the region and the account of this one, whatever the ARN says: a definition may be written for another."""
    found = _ARN.fullmatch(name_or_arn)
    body = resources.find(state, KIND, found[2]) if found is not None else None
    if found is None or body is None:
        return None
    return Function(
        _arn(state, found[2]),
        _folder(state, found[2]) / body["CodeFolder"],
        body["Handler"],
        float(body["Timeout"]),
        int(body["MemorySize"]),
        environment_of(body.get("Environment")),
    )


def _found(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise _missing(state, name)
    return body


def _told(state: State, name: str) -> Mapping[str, Any]:
    body = _found(state, name)
    hidden = ("Tags", "CodeFolder", "CreationTime", "LastModifiedTime")
    return {
        "FunctionName": name,
        "FunctionArn": _arn(state, name),
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "LastModified": body["LastModifiedTime"],
        **{member: value for member, value in body.items() if member not in hidden},
    }


def _zip(state: State, code: Mapping[str, Any]) -> bytes:
    given = code.get("ZipFile")
    if given is not None:
        return bytes(given)
    if not code.get("S3Bucket") or not code.get("S3Key"):
        raise _invalid("Please provide a source for function code.")
    try:
        with state.objects.open(code["S3Bucket"], code["S3Key"]) as (_, file):
            return file.read()
    except KeyError:
        message = "Error occurred while GetObject. S3 Error Code: NoSuchKey."
        raise _invalid(f"{message} S3 Error Message: The specified key does not exist.") from None


def _unpacked(state: State, name: str, data: bytes) -> dict[str, Any]:
    """The members that tell of the code, which is there then. Nothing of an archive leaves its folder."""
    digest = hashlib.sha256(data)
    target = _folder(state, name) / digest.hexdigest()[:32]
    if not target.is_dir():
        partial = Path(tempfile.mkdtemp(prefix=".new-", dir=private_folder(target.parent)))
        try:
            _extract(data, partial)
            try:
                partial.rename(target)
            except OSError:
                if not target.is_dir():  # else another did the same
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return {
        "CodeSha256": base64.b64encode(digest.digest()).decode(),
        "CodeSize": len(data),
        "CodeFolder": target.name,
    }


_DAMAGED = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError
)  # fmt: skip
"""What zipfile raises over bytes that are no archive: it does not gather the faults of what it calls."""


def _extract(data: bytes, folder: Path) -> None:
    left = _LARGEST
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                place = PurePosixPath(member.filename)
                kind = stat.S_IFMT(member.external_attr >> 16)
                if place.is_absolute() or ".." in place.parts or "\\" in member.filename:
                    raise _invalid(f"The archive has a member outside of its folder: {member.filename}")
                if member.is_dir() or (kind and not stat.S_ISREG(kind)):
                    continue
                content = archive.open(member).read(left + 1)
                left -= len(content)
                if left < 0:
                    raise _invalid(f"Unzipped size must be smaller than {_LARGEST} bytes")
                private_folder((folder / place).parent)
                mode = FOLDER if member.external_attr >> 16 & 0o100 else FILE
                with os.fdopen(os.open(folder / place, _NEW, mode), "wb") as file:
                    file.write(content)
    except _DAMAGED as error:
        message = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise _invalid(f"{message} ({error})") from None


def _name(name_or_arn: str) -> str:
    found = _ARN.fullmatch(name_or_arn)
    if found is None:
        raise _invalid(f"{name_or_arn} is no name or ARN of a function")
    return found[2]


def _folder(state: State, name: str) -> Path:
    return state.folder / "functions" / name


def _arn(state: State, name: str) -> str:
    return f"arn:aws:lambda:{state.region}:{ACCOUNT_ID}:function:{name}"


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValueException", message)


def _missing(state: State, name: str) -> Refusal:
    return Refusal("ResourceNotFoundException", f"Function not found: {_arn(state, name)}", 404)


OPERATIONS = {
    "CreateFunction": create_function,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_function_configuration,
    "ListFunctions": list_functions,
    "DeleteFunction": delete_function,
    "Invoke": invoke,
}
