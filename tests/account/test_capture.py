"""Data capture: what a line says, which requests are captured, that nothing waits for it and that it is bounded."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from endpoint_parts import World as Endpoints
from endpoint_parts import refused, variant
from hypothesis import given
from hypothesis import strategies as st
from router_parts import Asked, reply, until, world

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.process.capture import rule
from mlops.account.local.process.capture.keeper import Keeper
from mlops.account.local.process.capture.lines import Lines
from mlops.account.local.process.capture.pairs import paired
from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import ATTRIBUTES, ID, KIND, TARGET, Room, Seen, Side
from mlops.account.local.process.capture.streaming import Streams
from mlops.account.local.process.router.engine import best
from mlops.account.local.process.router.routing import Variant
from mlops.account.local.services.firehose import streams
from mlops.account.local.services.sagemaker import capturing
from mlops.deploy.outcomes import captured
from mlops.project.spool import BEGINNING, Place, Spool

NOON = 1_700_000_000.5
ALL = Capture("s3://kept/here", csv=frozenset({"text/csv"}), json=frozenset({"application/json"}))


def request(body: bytes = b"1,2", kind: str | None = "text/csv", **more: Any) -> Seen:
    named = {"inference_id": ID, "attributes": ATTRIBUTES, "target": TARGET}
    told = {KIND: kind, **{header: more.pop(name, None) for name, header in named.items()}}
    headers = {header: value.encode("latin-1", "replace") for header, value in told.items() if value is not None}
    given = {"capture": ALL, "sides": 1, "held": 0} | more
    return Seen(body, headers, time=NOON, event_id="e", **given)


def answer(body: bytes | None = b"0.5", kind: str | None = "text/csv; charset=utf-8", **more: Any) -> Side:
    given = {"status": 200, "microseconds": 7} | more
    headers = {} if kind is None else {KIND: kind.encode()}
    return Side("config", "A", False, **given, headers=headers, body=body)


def line(seen: Seen, side: Side) -> str:
    return Lines(seen.capture or ALL).line(seen, side)


def test_a_line_is_as_the_service_writes_it() -> None:
    seen = request(b"1,2\n3,4", inference_id="i-1", attributes="user=7")
    assert json.loads(line(seen, answer(b'{"p": 1}', "application/json"))) == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2\n3,4",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"p": 1}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": "e",
            "customAttributes": ["user=7"],
            "inferenceTime": "2023-11-14T22:13:20Z",
            "inferenceId": "i-1",
        },
        "eventVersion": "0",
    }
    assert line(seen, answer()).count("\n") == 1
    assert set(json.loads(line(request(), answer()))["eventMetadata"]) == {"eventId", "inferenceTime"}
    aimed = json.loads(line(request(target="A", inference_id="i-1"), answer()))["eventMetadata"]
    assert (aimed["inferenceId"], aimed["targetVariant"]) == ("i-1", "A")
    assert captured.parsed(line(request(target="A", inference_id="i-1"), answer())).chosen


@given(st.text(max_size=8), *[st.text(st.characters(max_codepoint=255), max_size=8)] * 3)
def test_a_line_is_json_whatever_is_in_it(body: str, kind: str, name: str, attributes: str) -> None:
    seen = request(body.encode("utf-8", "replace"), kind, inference_id=name or None, attributes=attributes or None)
    written = line(seen, answer(body.encode("utf-8", "replace"), "text/csv"))
    told = json.loads(written)
    assert written == json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert told["captureData"]["endpointInput"]["observedContentType"] == kind
    assert told["eventMetadata"].get("inferenceId", "") == name
    assert told["eventMetadata"].get("customAttributes", [""]) == [attributes]


@pytest.mark.parametrize(
    ("body", "kind", "kept"),
    [
        pytest.param(b"1,2", "text/csv", ("1,2", "CSV"), id="listed as CSV"),
        pytest.param(b"1,2", "Text/CSV; header=absent", ("1,2", "CSV"), id="in any case and with parameters"),
        pytest.param(b"{}", "application/json", ("{}", "JSON"), id="listed as JSON"),
        pytest.param(b"{}", "application/jsonlines", ("e30=", "BASE64"), id="not listed"),
        pytest.param(b"{}", None, ("e30=", "BASE64"), id="without a type"),
        pytest.param(b"\xff,1", "text/csv", ("/ywx", "BASE64"), id="listed, and no text"),
        pytest.param("ä\u2028\n".encode(), "text/csv", ("ä\u2028\n", "CSV"), id="letters beyond ASCII"),
        pytest.param(b"", "text/csv", ("", "CSV"), id="empty"),
    ],
)
def test_an_encoding_follows_the_content_type(body: bytes, kind: str | None, kept: tuple[str, str]) -> None:
    found = json.loads(line(request(body, kind), answer()))["captureData"]["endpointInput"]
    assert (found["data"], found["encoding"]) == kept


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param({}, (True, True, 1.0), id="both, switched on by default"),
        pytest.param({"EnableCapture": False}, None, id="switched off"),
        pytest.param({"CaptureOptions": [{"CaptureMode": "Input"}]}, (True, False, 1.0), id="the input"),
        pytest.param({"CaptureOptions": [{"CaptureMode": "Output"}]}, (False, True, 1.0), id="the output"),
        pytest.param({"CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}, (True, True, 1.0), id="both in one"),
        pytest.param({"InitialSamplingPercentage": 20}, (True, True, 0.2), id="a part"),
        pytest.param({"DestinationS3Uri": "https://x/y"}, None, id="no bucket, from an older store"),
    ],
)
def test_what_a_configuration_asks_for(given: dict[str, Any] | None, asks: tuple[bool, bool, float] | None) -> None:
    config = {} if given is None else {"DataCaptureConfig": {**CONFIG, **given}}
    found = rule.of(config)
    assert (found and (found.input, found.output, found.share)) == asks
    told = capturing.told(config)
    assert (told and told["CaptureStatus"]) == (None if given is None else "Started" if asks else "Stopped")


ASKED: dict[str, tuple[Capture, set[str]]] = {
    "both": (ALL, {"asked", "answered"}),
    "the input": (replace(ALL, output=False), {"asked"}),
    "the output": (replace(ALL, input=False), {"answered"}),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_secret_is_captured_where_that_was_asked_for_alone(case: str) -> None:
    """Headers of a request, among them who it is, never."""
    capture, wanted = ASKED[case]
    put = Put()
    seen = request(b"asked", capture=capture)
    headers = {**seen.headers, b"authorization": b"AWS4 Credential=hunter2", b"cookie": b"hunter2"}
    kept(put, (replace(seen, headers=headers), answer(b"answered", kind="text/plain")))
    told = json.dumps(put.files)
    there = {word for word in ("asked", "answered") if word in told or b64encode(word.encode()).decode() in told}
    assert there == wanted
    assert "hunter2" not in told


@pytest.mark.parametrize("case", [*ASKED, "nothing"])
def test_two_answers_are_held_against_each_other_without_what_was_not_asked_for(case: str) -> None:
    capture, wanted = ASKED.get(case, (None, set()))
    seen = request(b"asked", capture=capture, sides=2, attributes="asked")
    sides = (answer(b"answered"), answer(b"answered too"))
    pair = paired(replace(seen, told=tuple(side._replace(shadow=bool(at)) for at, side in enumerate(sides))))
    told = json.dumps(pair)
    assert {word for word in ("asked", "answered") if word in told} == wanted


class Put:
    """Where files go. ``fails`` is raised instead."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.fails = fails

    def __call__(self, content: Iterable[bytes], uri: str) -> None:
        if self.fails is not None:
            raise self.fails
        self.files[uri] = [json.loads(text) for text in b"".join(content).splitlines()]

    @property
    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        return [(uri.rpartition("/")[0], item) for uri, items in sorted(self.files.items()) for item in items]


def kept(put: Put, *told: tuple[Seen, Side], **more: Any) -> Keeper:
    keeper = Keeper("door", put, look_seconds=60, **more)
    for seen, side in told:
        keeper.saw(seen, side)
    keeper.close()
    return keeper


def test_files_are_by_endpoint_variant_and_hour() -> None:
    put = Put()
    late = Seen(b"9", {KIND: b"text/csv"}, ALL, 1, 0, NOON + 3600)
    kept(put, (request(b"1"), answer()), (late, answer()), (request(b"2"), answer()), new_id=lambda: "id")
    assert {uri: len(items) for uri, items in put.files.items()} == {
        "s3://kept/here/door/A/2023/11/14/22/13-20-500-id.jsonl": 2,
        "s3://kept/here/door/A/2023/11/14/23/13-20-500-id.jsonl": 1,
    }


@pytest.mark.parametrize(
    ("seen", "side", "lines", "dropped"),
    [
        pytest.param({}, {}, 1, 0, id="answered"),
        pytest.param({}, {"status": 424, "body": None}, 0, 0, id="failed"),
        pytest.param({}, {"body": None}, 0, 1, id="an answer that came in parts"),
        pytest.param({"capture": Capture("s3://kept", output=False)}, {"body": None}, 1, 0, id="that nobody asked for"),
    ],
)
def test_what_has_no_whole_answer(seen: dict[str, Any], side: dict[str, Any], lines: int, dropped: int) -> None:
    put = Put()
    assert kept(put, (request(**seen), answer(**side))).dropped == dropped
    assert len(put.lines) == lines


def test_all_room_is_given_back_also_where_nothing_can_be_written() -> None:
    for put in (Put(), Put(OSError(28, "No space left on device")), Put(RuntimeError("nobody foresaw it"))):
        room = Room()
        told = [(request(held=room.take(3)), answer()) for _ in range(3)]
        keeper = kept(put, *told, room=room)
        assert (room.held, keeper.dropped) == (0, 3 if put.fails else 0)


def test_a_file_is_written_when_it_is_old_or_big() -> None:
    written = threading.Event()
    put = Put()

    def putting(content: Iterable[bytes], uri: str) -> None:
        put(content, uri)
        written.set()

    keeper = Keeper("door", putting, look_seconds=0.01, file_seconds=0)
    keeper.saw(request(), answer())
    assert written.wait(60)
    keeper.close()
    assert len(put.files) == 1
    put = Put()
    kept(put, *[(request(b"1" * 600), answer())] * 10, file_bytes=2000)
    assert len(put.files) > 2
    assert len(put.lines) == 10


def test_requests_are_captured_on_their_way_and_share_by_share() -> None:
    chances = iter([0, 0.1, 0, 0.9, 0, 0.2, 0, 0.7])
    put = Put()
    keeper = Keeper("door", put, look_seconds=60)

    async def work() -> None:
        async with world(best(), saw=keeper.saw, room=keeper.room, chance=lambda: next(chances)) as made:
            made.add("one", await made.model())
            made.route(Variant("A", ("one",), capture=Capture("s3://kept", share=0.5)))
            for number in range(4):
                name = f"X-Amzn-SageMaker-Inference-Id: {number}"
                assert (await made.ask(b"in%d" % number, name, "Content-Type: text/csv")).status == 200

    best().run(_within(work()))
    keeper.close()
    assert [item["eventMetadata"]["inferenceId"] for _, item in put.lines] == ["0", "2"]
    assert [item["captureData"]["endpointOutput"]["data"] for _, item in put.lines] == ["PGluMD4=", "PGluMj4="]


def test_a_shadow_is_captured_beside_what_it_shadows_and_its_client_may_be_gone() -> None:
    put = Put()
    keeper = Keeper("door", put, look_seconds=60)

    async def other(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
        return reply(b"other", 200, "Content-Type: text/plain")

    async def work() -> None:
        async with world(best(), saw=keeper.saw, room=keeper.room) as made:
            made.add("one", await made.model())
            made.add("two", await made.model(other))
            production, shadow = (Variant(name, (key,), capture=ALL) for name, key in (("A", "one"), ("S", "two")))
            made.route(production, shadow=shadow)
            await made.ask(b"in", "Content-Type: text/csv")
            await until(lambda: len(made.records) == 2)

    best().run(_within(work()))
    keeper.close()
    (first, mine), (second, its) = sorted(put.lines, key=lambda item: item[0])
    assert [place.split("/")[5] for place in (first, second)] == ["A", "S"]
    assert mine["eventMetadata"]["eventId"] == its["eventMetadata"]["eventId"]
    assert its["captureData"]["endpointOutput"]["data"] == "b3RoZXI="
    assert keeper.room.held == 0


def test_what_there_is_no_room_for_is_dropped_and_answered_all_the_same() -> None:
    put = Put()
    keeper = Keeper("door", put, look_seconds=60, room=Room(5000))

    async def work() -> None:
        async with world(best(), saw=keeper.saw, room=keeper.room) as made:
            made.add("one", await made.model())
            made.route(Variant("A", ("one",), capture=ALL))
            for _ in range(10):
                assert (await made.ask(b"x" * 500, "Content-Type: text/csv")).status == 200
            assert 0 < keeper.room.held <= 5000

    best().run(_within(work()))
    keeper.close()
    assert 0 < len(put.lines) < 10
    assert keeper.dropped == 10 - len(put.lines)
    assert keeper.room.held == 0


async def _within(work: Any) -> None:
    async with asyncio.timeout(30):
        await work


CONFIG = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://mlops-tests/kept/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/plain"]},
}


def config(found: Endpoints, name: str, **capture: Any) -> None:
    found.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant("A", "one", 1.0)],
        DataCaptureConfig={**CONFIG, **capture},
    )


def test_an_endpoint_captures_what_its_configuration_asks_for(local: LocalAccount, tmp_path: Path) -> None:
    found = Endpoints(local)
    found.model("one")
    with refused("ValidationException", "https://x/y is no place in a bucket"):
        config(found, "nowhere", DestinationS3Uri="https://x/y")
    config(found, "captured")
    config(found, "inputs", CaptureOptions=[{"CaptureMode": "Input"}], InitialSamplingPercentage=100)
    try:
        assert found.serve("captured")["DataCaptureConfig"] == {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 100,
            "DestinationS3Uri": "s3://mlops-tests/kept/",
            "KmsKeyId": "",
        }
        found.ask("hello", InferenceId="first", CustomAttributes="user=7")
        found.update("inputs")
        found.ask("again", InferenceId="second")
    finally:
        found.close()
    found.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="door", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    s3 = local.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="mlops-tests", Prefix="kept/")["Contents"]]
    assert all(key.startswith("kept/door/A/") and key.count("/") == 7 and key.endswith(".jsonl") for key in keys)
    texts = [s3.get_object(Bucket="mlops-tests", Key=key)["Body"].read().decode() for key in keys]
    lines = {
        item["eventMetadata"]["inferenceId"]: item for text in texts for item in map(json.loads, text.splitlines())
    }
    assert set(lines) == {"first", "second"}
    assert lines["first"]["captureData"]["endpointInput"]["data"] == "hello"
    assert lines["first"]["captureData"]["endpointOutput"]["data"] == b64encode(b"one: hello").decode()
    assert lines["first"]["eventMetadata"]["customAttributes"] == ["user=7"]
    assert set(lines["second"]["captureData"]) == {"endpointInput"}


def test_what_is_captured_goes_into_the_streams_that_take_it_too(tmp_path: Path) -> None:
    """A stream that takes nothing keeps no object from being written, and is counted."""
    account = LocalAccount(tmp_path / ".mlops", "eu-west-1")
    place = {"RoleARN": "arn:aws:iam::000000000000:role/d", "BucketARN": "arn:aws:s3:::b"}
    for name, endpoint, share in (("kept", "door", "0"), ("refuses", "door", "1"), ("other", "window", "0")):
        account.client("firehose").create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration=place,
            Tags=[{"Key": "mlops:captures", "Value": endpoint}, {"Key": "mlops:fail-share", "Value": share}],
        )
        assert ownership.take(streams.folder_of(account.state, name)) is not None
    put, taking = Put(), Streams(account.state, "door")
    kept(put, *((request(b"%d" % number), answer()) for number in range(250)), stream=taking.put)

    def waiting(name: str) -> list[Any]:
        spool = Spool(streams.kept_in(account.state, name, streams.found(account.state, name)["Incarnation"]) / "spool")
        return [json.loads(row) for _, rows in spool.read(BEGINNING, Place(9, 0)) for row in rows]

    assert waiting("kept") == [line for _, line in put.lines] and len(put.lines) == 250
    assert (waiting("refuses"), waiting("other"), taking.lost) == ([], [], 250)
