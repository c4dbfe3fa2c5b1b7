"""Laws of the protocols: what botocore writes is read as it was meant, what is written botocore reads so. For every
operation of every service that is answered, in every protocol of the service."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import PROTOCOL_PARSERS
from botocore.serialize import SERIALIZERS
from botocore.utils import parse_to_aware_datetime
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops.account.local.answering import services
from mlops.account.local.shapes import service_model
from mlops.account.wire import protocols, routing
from mlops.account.wire.messages import Reply, Request, pairs
from mlops.account.wire.protocols import Protocol
from mlops.ir.discovery import modules
from tests.laws import examples

DEEPEST = 4
LETTERS = "abcXYZ019 /+%&=;:,.~-_\"<>'\\\u00e4\u4e16\U0001f600"
CONTROLS = "\t\n\r\x01\x1f\x7f\x85\u2028"
SAFE = "abcXYZ019!#$*+-.^_`|~/=;"
"""Of what is in a path, a query or a header: botocore itself says what else may be there."""
EDGES = {
    "integer": (0, 1, -1, 2**31 - 1, -(2**31)),
    "long": (0, 23, 24, 255, 256, 65_535, 65_536, 2**32, 2**63 - 1, -(2**63)),
    "float": (0.0, -0.5, 1.5, 2.0**100),
    "double": (0.0, -0.1, 1e-300, 1e300, 3.0),
}


class Values:
    """Any that a protocol can carry at a place of a message, by a seed. Hypothesis chooses that: strategies for shapes
    as large as SageMaker's take longer to make than all else."""

    def __init__(self, seed: int, protocol: str, *, reply: bool) -> None:
        self.chance = random.Random(seed)
        self.protocol = protocol
        self.reply = reply

    def of(self, shape: Shape, depth: int, located: str | None = None) -> Any:
        chance = self.chance
        match shape:
            case StructureShape() if shape.is_document_type:
                return {"a": [1, "b", None, {"c": 0.5}]}
            case StructureShape():
                return self.structure(shape, depth)
            case ListShape():
                # No protocol tells an empty list of these from none.
                least = 1 if located or shape.serialization.get("flattened") else 0
                count = least if depth > DEEPEST else chance.randint(least, 2)
                return [self.of(shape.member, depth + 1, located) for _ in range(count)]
            case MapShape():
                least = 1 if located or shape.serialization.get("flattened") else 0
                count = least if depth > DEEPEST else chance.randint(least, 2)
                keys = [self.text(located) or "k" for _ in range(count)]
                return {
                    _token(key) if located else key: self.of(shape.value, depth + 1, located and "header")
                    for key in keys
                }
        match shape.type_name:
            case "boolean":
                return chance.random() < 0.5
            case "integer" | "long" | "float" | "double":
                special = (
                    [math.inf, -math.inf] if self.carries_infinity and shape.type_name in ("float", "double") else []
                )
                return chance.choice([*EDGES[shape.type_name], *special])
            case "timestamp":
                return self.time(shape, located)
            case "blob":
                return chance.randbytes(chance.randint(0, 5))
        return chance.choice(shape.metadata["enum"]) if shape.metadata.get("enum") else self.text(located)

    @property
    def carries_infinity(self) -> bool:
        """botocore leaves what JSON cannot say as the word for it."""
        return not (self.reply and self.protocol == "json")

    def time(self, shape: Shape, located: str | None) -> datetime:
        form = shape.serialization.get("timestampFormat", "rfc822" if located == "header" else "").lower()
        whole = form == "rfc822" or (located is not None and not self.reply)
        milliseconds = 0 if whole else self.chance.choice([0, 1, 500, 999])
        return datetime.fromtimestamp(self.chance.randint(0, 2**32), UTC).replace(microsecond=1000 * milliseconds)

    def text(self, located: str | None) -> str:
        if located == "uri":
            letters = LETTERS
        elif located:
            letters = SAFE
        else:
            letters = LETTERS if "xml" in self.protocol or self.protocol == "query" else LETTERS + CONTROLS
        least = 1 if located else 0
        text = "".join(self.chance.choices(letters, k=self.chance.randint(least, 6)))
        return "a" + text if located == "uri" else text

    def structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        """A few members beside those that have to be there."""
        found, others = [], []
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location == "statusCode" or member.serialization.get("eventstream"):
                continue
            needed = name in shape.required_members or location == "uri"
            (found if needed and not shape.is_tagged_union else others).append(name)
        if shape.is_tagged_union:
            plain = [name for name in others if not isinstance(shape.members[name], StructureShape | ListShape)]
            found = [self.chance.choice(plain if depth > DEEPEST and plain else others)] if others else []
        elif depth <= DEEPEST:
            found += self.chance.sample(others, self.chance.randint(0, min(len(others), 6 if depth < 2 else 2)))
        return {name: self.of(member := shape.members[name], depth + 1, _place(member)) for name in found}


def _place(member: Shape) -> str | None:
    location: str | None = member.serialization.get("location")
    return "header" if location == "headers" else location


def _token(text: str) -> str:
    return "".join(letter if letter.isalnum() else "x" for letter in text).lower()


def spoken(service: str) -> Iterator[str]:
    metadata = service_model(service).metadata
    yield from metadata.get("protocols", [metadata["protocol"]])


EVERY = [(service, protocol) for service in services() for protocol in spoken(service)]


def of_ours(protocol: str) -> Protocol:
    found: Protocol = modules(protocols)[protocol].load().PROTOCOL
    return found


def sent(operation: OperationModel, protocol: str, params: Mapping[str, Any]) -> Request:
    """As botocore would have put it on the wire."""
    wanted = SERIALIZERS[protocol]().serialize_to_request(params, operation)
    url = "http://127.0.0.1" + wanted["url_path"]
    body = urlencode(wanted["body"]).encode() if isinstance(wanted["body"], dict) else wanted["body"]
    prepared = AWSRequest(
        wanted["method"], url, headers=wanted["headers"], data=body, params=wanted["query_string"]
    ).prepare()
    path, _, query = prepared.url.removeprefix("http://127.0.0.1").partition("?")
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
        # It is HTTP's, and yet a member of S3's requests.
        if name.lower() != "content-length" or "ContentLength" in params
    }
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{operation.service_model.signing_name}/aws4_request"
    )
    content = prepared.body or b""
    return Request(
        wanted["method"],
        path,
        pairs(query),
        headers,
        BytesIO(content if isinstance(content, bytes) else content.encode()),
    )


def received(operation: OperationModel, protocol: str, reply: Reply) -> dict[str, Any]:
    """As botocore would have parsed it."""
    body: Any = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    shape = operation.output_shape
    streams = shape is not None and operation.has_streaming_output
    told = {
        "status_code": reply.status,
        "headers": HeadersDict(reply.headers),
        "body": BytesIO(body) if streams else body,
        "context": {"operation_name": operation.name},
    }
    found: dict[str, Any] = PROTOCOL_PARSERS[protocol]().parse(told, shape)
    found.pop("ResponseMetadata", None)
    members = shape.members if shape is not None else {}
    return {name: value for name, value in found.items() if members[name].serialization.get("location") != "statusCode"}


def same(shape: Shape, told: Any, heard: Any) -> bool:
    match shape:
        case StructureShape() if shape.is_document_type:
            return bool(told == heard)
        case StructureShape():
            # A form has no word for a structure in which nothing is.
            told, heard = told or {}, heard or {}
            names = {*told, *heard}
            return all(
                same(shape.members[name], told.get(name), heard.get(name))
                for name in names
                if not (_is_empty(told.get(name)) and _is_empty(heard.get(name)))
            )
        case ListShape():
            return (
                heard is not None
                and len(told) == len(heard)
                and all(same(shape.member, one, other) for one, other in zip(told, heard, strict=True))
            )
        case MapShape():
            return (
                heard is not None
                and told.keys() == heard.keys()
                and all(same(shape.value, told[key], heard[key]) for key in told)
            )
    if told is None or heard is None:
        return False
    if shape.type_name == "timestamp":
        return abs((parse_to_aware_datetime(told) - parse_to_aware_datetime(heard)).total_seconds()) < 0.000_5
    if shape.type_name == "blob":
        return _content(told) == _content(heard)
    if shape.type_name in ("float", "double"):
        return math.isclose(told, heard, rel_tol=1e-12) or told == heard
    return type(told) is type(heard) and bool(told == heard)


def without_nothing(value: Any) -> Any:
    """A form has no place for a structure of nothing."""
    match value:
        case dict():
            inner = {name: without_nothing(item) for name, item in value.items()}
            return {name: item for name, item in inner.items() if item != {}}
        case list():
            return [item for item in map(without_nothing, value) if item != {}]
    return value


def _is_empty(value: Any) -> bool:
    """What a member that is left out may be heard as: there is no telling in a body of nothing."""
    return (
        value is None
        or value in ("", b"")
        or value == {}
        or value == []
        or (hasattr(value, "getbuffer") and not value.getbuffer())
    )


def _content(value: Any) -> bytes:
    if hasattr(value, "read"):
        value = value.getvalue()
    return value.encode() if isinstance(value, str) else value


@cache
def untouched(service: str) -> ServiceModel:
    """Of one's own: a client for S3 changes the model that it works by."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operations_of(service: str) -> list[OperationModel]:
    """Without those that are old: they are spoken as what has replaced them."""
    model = untouched(service)
    found = [model.operation_model(name) for name in model.operation_names]
    return [operation for operation in found if not operation.deprecated]


SEEDS = st.integers(0, 2**32)


@pytest.mark.deeper("laws")
@pytest.mark.parametrize(("service", "protocol"), EVERY)
@settings(max_examples=examples(4), deadline=None, phases=[Phase.generate])
@given(seed=SEEDS)
def test_what_botocore_writes_is_read_as_it_was_meant(service: str, protocol: str, seed: int) -> None:
    values, ours = Values(seed, protocol, reply=False), of_ours(protocol)
    for operation in operations_of(service):
        shape = operation.input_shape
        # S3 Object Lambda has hosts of its own, made of a member.
        if operation.has_event_stream_input or operation.name == "WriteGetObjectResponse":
            continue
        params = values.structure(shape, 0) if shape is not None else {}
        request = sent(operation, protocol, params)
        found, request = routing.spoken(request)
        assert found.protocol == protocol, operation.name
        meant = routing.meant(found, request)
        assert meant.operation.name == ALIKE.get(operation.name, operation.name), (operation.name, request)
        heard = ours.read(meant.operation, meant.request)
        params = without_nothing(params) if protocol == "query" else params
        if operation.name not in ALIKE:
            assert shape is None or same(shape, params, heard), (operation.name, params, heard)


@pytest.mark.deeper("laws")
@pytest.mark.parametrize(("service", "protocol"), EVERY)
@settings(max_examples=examples(4), deadline=None, phases=[Phase.generate])
@given(seed=SEEDS)
def test_what_is_written_botocore_reads_as_it_was_meant(service: str, protocol: str, seed: int) -> None:
    values, ours = Values(seed, protocol, reply=True), of_ours(protocol)
    for operation in operations_of(service):
        shape = operation.output_shape
        # botocore reads the place of a bucket by itself, and not by the model.
        if shape is None or operation.has_event_stream_output or operation.name == "GetBucketLocation":
            continue
        reply = values.structure(shape, 0)
        heard = received(operation, protocol, ours.write(operation, reply, "id"))
        assert same(shape, reply, heard), (operation.name, reply, heard)


ALIKE = {"ListDirectoryBuckets": "ListBuckets"}
"""Two operations of one method and path: nothing but the host tells them apart."""
