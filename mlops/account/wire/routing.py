"""Which operation of which service a request asks for, and in which protocol and region: by its target header, its
path, its form, the scope of its signature and its host, in the words of botocore's models."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from io import BytesIO

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, ServiceModel

from mlops.account.local.answering import services
from mlops.account.local.refusal import Refusal
from mlops.account.local.shapes import operation, service_model
from mlops.account.wire import rest_paths
from mlops.account.wire.aws_names import below_aws
from mlops.account.wire.hosts import bucket_of, is_of_s3
from mlops.account.wire.messages import Request
from mlops.account.wire.protocols.query import form
from mlops.account.wire.signing import Scope, scope_of
from mlops.ir.dataclass import dataclass
from mlops.knowledge.elsewhere import unanswered

JSON, QUERY, REST_JSON, REST_XML, CBOR = "json", "query", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a request is spoken: enough to refuse it in its own form. ``target`` and ``action`` are the operation where
    the request names it."""

    protocol: str
    scope: Scope
    service: str | None = None
    prefix: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    operation: OperationModel
    request: Request


def spoken(request: Request) -> tuple[Spoken, Request]:
    """Reads a form, whose request is given back with its body unread again. Raises nothing but what reading raises."""
    scope = _scope(request)
    target = request.header("x-amz-target")
    if target:
        prefix, _, action = target.rpartition(".")
        return Spoken(JSON, scope, _with_target(prefix, scope), prefix, action), request
    if request.header("smithy-protocol") == "rpc-v2-cbor":
        words = request.path.split("/")
        prefix, action = (words[2], words[4]) if len(words) == 5 else ("", "")
        return Spoken(CBOR, scope, _with_target(prefix, scope), prefix, action), request
    if request.header("content-type").startswith("application/x-www-form-urlencoded") and request.method == "POST":
        body = request.whole_body()
        request = request.with_body(BytesIO(body), request.headers)
        told = dict(form(request))
        request = request.with_body(BytesIO(body), request.headers)
        if "Action" in told:
            return Spoken(QUERY, scope, _of_form(told, scope), told.get("Version"), told["Action"]), request
    elif request.asked("Action") and request.asked("Version") and request.method in ("GET", "POST"):
        told = dict(request.query)
        return Spoken(QUERY, scope, _of_form(told, scope), told["Version"], told["Action"]), request
    service = _rest_service(request, scope)
    return Spoken(_protocol(service) if service in services() else _foreign(service), scope, service), request


def meant(found: Spoken, request: Request) -> Meant:
    """Raises Refusal for what nobody here answers."""
    if found.service not in services():
        known = ", ".join(services())
        name = found.scope.service or found.service or found.prefix or "what was asked"
        told = unanswered(name, found.action or "anything").removesuffix(".")
        raise Refusal("UnknownOperationException", f"{told}; it answers {known}.", 400)
    service = str(found.service)
    model = _model(service)
    if found.action is not None:
        if found.action not in model.operation_names:
            raise Refusal(
                "InvalidAction" if found.protocol == QUERY else "UnknownOperationException",
                f"There is no operation {found.action[:100]!r} of {service}.",
            )
        return Meant(operation(service, found.action), request)
    if service == "s3":
        bucket = bucket_of(request.header("host"))
        if bucket is not None:
            request = request.at(f"/{bucket}{request.path}")
    return Meant(rest_paths.operation_of(model, request), request)


def _scope(request: Request) -> Scope:
    """What nobody has signed is of the service at whose name it is asked for."""
    scope, host = scope_of(request), request.header("host")
    if scope.service is not None or is_of_s3(host):
        return scope
    below = below_aws(host)
    if below is None:
        return scope
    places = ((_model(name).endpoint_prefix, _model(name).signing_name) for name in services())
    return Scope(next((signed for place, signed in places if f"{below}.".startswith(f"{place}.")), below))


def load() -> None:
    """All models, so that no request waits for them."""
    for service in services():
        if _protocol(service) in (REST_JSON, REST_XML):
            rest_paths.know(_model(service))
    _targets()


def _model(service: str) -> ServiceModel:
    return service_model(service)


def _protocol(service: str) -> str:
    """The one that the model puts first."""
    return str(_model(service).metadata["protocol"])


@cache
def _targets() -> Mapping[str, str]:
    """Services by what their targets begin with."""
    return {prefix: name for name in services() if (prefix := _model(name).metadata.get("targetPrefix")) is not None}


@cache
def _signed_as() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in services():
        model = _model(name)
        found[model.signing_name] = (*found.get(model.signing_name, ()), name)
    return found


def _with_target(prefix: str, scope: Scope) -> str | None:
    return _targets().get(prefix) or scope.service


def _of_form(told: Mapping[str, str], scope: Scope) -> str | None:
    named = _signed_as().get(scope.service or "", ())
    if named:
        return next((name for name in named if _speaks(name, QUERY)), named[0])
    if scope.service is not None:
        return scope.service
    # Nobody signs for AssumeRoleWithWebIdentity.
    return next(
        (
            name
            for name in services()
            if _speaks(name, QUERY)
            and _model(name).api_version == told.get("Version")
            and told["Action"] in _model(name).operation_names
        ),
        None,
    )


def _speaks(service: str, protocol: str) -> bool:
    return protocol in _model(service).metadata.get("protocols", [_protocol(service)])


def _rest_service(request: Request, scope: Scope) -> str | None:
    """What is signed for nobody is S3's: who reads a public object signs nothing."""
    named = _signed_as().get(scope.service or "s3", ())
    speaking = [name for name in named if _protocol(name) in (REST_JSON, REST_XML)]
    for name in speaking[:-1]:
        with suppress(Refusal):
            rest_paths.operation_of(_model(name), request)
            return name
    return next(iter((*speaking[-1:], *named)), scope.service)


@cache
def _foreign(service: str | None) -> str:
    """How a service is spoken to that nobody here answers."""
    try:
        return _protocol(service or "")
    except (UnknownServiceError, DataNotFoundError, ValueError):
        return REST_JSON
