"""Streams to an HTTP endpoint, held against a receiver that does all that the guide says one may do wrong."""

from __future__ import annotations

import base64
import gzip
import json
import random
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from stream_parts import ARN, ROLE, Stream, failures

from mlops.account.local import LocalAccount
from mlops.account.local.delivery.sending import pause
from mlops.account.local.process import delivering
from mlops.deploy.streams import described

URL = "https://collector.example.org/in?kind=events"
JSON = {"Content-Type": "application/json"}


class Receiver:
    """Answers the requests in turn by ``script``, the last of which stays; keeps what it was sent."""

    def __init__(self) -> None:
        self.script: list[Callable[[Any], tuple[int, Mapping[str, str], bytes] | None]] = [right]
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.read: Callable[[bytes], Any] = json.loads
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.requests.append((self.path, headers, body))
                plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
                act = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                told = act(outer.read(plain))
                if told is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, given, content = told
                self.send_response(status)
                for name, value in given.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" in given:
                    self.end_headers()
                    self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content))
                    return
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/here?kind=events"

    def records(self) -> list[bytes]:
        """Of the last request."""
        _, headers, body = self.requests[-1]
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        return [base64.b64decode(item["data"]) for item in json.loads(plain)["records"]]


def said(request: Mapping[str, Any], **changed: Any) -> bytes:
    told = {"requestId": request["requestId"], "timestamp": 1_578_090_903_599, **changed}
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def right(request: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    return 200, JSON, said(request)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def sending(account: LocalAccount, receiver: Receiver, name: str = "events", **more: Any) -> Stream:
    receiver.script, receiver.requests = [right], []
    account.ensure_bucket("acme-events")
    account.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        HttpEndpointDestinationConfiguration={
            "EndpointConfiguration": {"Url": URL, "Name": "collector", "AccessKey": "k-1"},
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN, "Prefix": f"{name}/"},
            **more,
        },
        Tags=[{"Key": "mlops:deliver-to", "Value": receiver.url}],
    )
    return Stream(account, name)


@pytest.mark.parametrize("encoding", ["NONE", "GZIP"])
def test_a_request_is_the_services(shared: LocalAccount, receiver: Receiver, encoding: str) -> None:
    name = f"request-{encoding}"
    attributes = [{"AttributeName": "stage", "AttributeValue": "test"}]
    asked = {"ContentEncoding": encoding, "CommonAttributes": attributes}
    stream = sending(shared, receiver, name, RequestConfiguration=asked)
    stream.put(b"one", b"\x00two")
    stream.deliver()
    ((path, headers, body),) = receiver.requests
    told = json.loads(gzip.decompress(body) if encoding == "GZIP" else body)
    assert path == "/here?kind=events"
    assert headers["content-type"] == "application/json"
    assert headers.get("content-encoding") == ("gzip" if encoding == "GZIP" else None)
    assert headers["x-amz-firehose-protocol-version"] == "1.0"
    assert str(uuid.UUID(headers["x-amz-firehose-request-id"])) == told["requestId"]
    assert headers["x-amz-firehose-source-arn"].endswith(f":deliverystream/{name}")
    assert headers["x-amz-firehose-access-key"] == "k-1"
    assert json.loads(headers["x-amz-firehose-common-attributes"]) == {"commonAttributes": {"stage": "test"}}
    assert isinstance(told["timestamp"], int) and set(told) == {"requestId", "timestamp", "records"}
    assert receiver.records() == [b"one", b"\x00two"]
    assert stream.objects(f"{name}/") == {}
    described = shared.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
    assert "k-1" not in str(described)


MISBEHAVING: dict[str, Callable[[dict[str, Any]], tuple[int, Mapping[str, str], bytes] | None]] = {
    "500": lambda asked: (500, JSON, said(asked, errorMessage="no")),
    "503 without a body": lambda asked: (503, {}, b""),
    "400": lambda asked: (400, JSON, said(asked)),
    "201": lambda asked: (201, JSON, said(asked)),
    "204": lambda asked: (204, {}, b""),
    "a redirection": lambda asked: (307, {**JSON, "Location": "/elsewhere"}, said(asked)),
    "no answer": lambda asked: None,
    "another id": lambda asked: (200, JSON, said(asked, requestId="another")),
    "no id": lambda asked: (200, JSON, said(asked, requestId=None)),
    "no timestamp": lambda asked: (200, JSON, said(asked, timestamp=None)),
    "a timestamp in words": lambda asked: (200, JSON, said(asked, timestamp="now")),
    "a list": lambda asked: (200, JSON, b"[]"),
    "no JSON": lambda asked: (200, JSON, b"ok"),
    "nothing": lambda asked: (200, JSON, b""),
    "text": lambda asked: (200, {"Content-Type": "text/plain"}, said(asked)),
    "encoded": lambda asked: (200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(said(asked))),
    "chunked": lambda asked: (200, {**JSON, "Transfer-Encoding": "chunked"}, said(asked)),
    "too long": lambda asked: (200, JSON, said(asked, errorMessage="x" * 1024 * 1024)),
}


@pytest.mark.parametrize("how", MISBEHAVING)
def test_what_is_no_success_is_sent_again(shared: LocalAccount, receiver: Receiver, how: str) -> None:
    """With the same id; delivered when the receiver has come to itself, and in no error prefix."""
    name = f"again-{list(MISBEHAVING).index(how)}"
    stream = sending(shared, receiver, name)
    receiver.script = [MISBEHAVING[how], MISBEHAVING[how], right]
    stream.put(b"one")
    waits = [stream.turn(60.0), stream.turn(1.2), stream.turn(2.4)]
    assert 0.85 <= (waits[0] or 0) <= 1.15 and 1.7 <= (waits[1] or 0) <= 2.3 and waits[2] == 0.0
    assert len({headers["x-amz-firehose-request-id"] for _, headers, _ in receiver.requests}) == 1
    assert len(receiver.requests) == 3 and receiver.records() == [b"one"]
    assert stream.objects(f"{name}/") == {} and stream.deliverer.idle()


def test_after_its_time_a_batch_lies_in_the_error_prefix(account: LocalAccount, receiver: Receiver) -> None:
    stream = sending(account, receiver, RetryOptions={"DurationInSeconds": 10})
    receiver.script = [MISBEHAVING["500"]]
    stream.put(b"one", b"two")
    wait, waited = stream.turn(60.0), 0.0
    while wait:
        waited += wait
        wait = stream.turn(wait + 0.001)
    assert 10 <= waited <= 10 + 8 * 1.15
    ((key, content),) = stream.objects().items()
    assert key.startswith("events/http-endpoint-failed/2018/07/09/23/events-1-")
    told = failures(content)
    assert [base64.b64decode(item["rawData"]) for item in told] == [b"one", b"two"]
    assert told[0]["attemptsMade"] == len(receiver.requests) and told[0]["errorMessage"].startswith("500: {")
    assert told[0]["errorCode"] == "HttpEndpoint.DestinationException"


def test_nothing_is_sent_again_where_no_time_is_given(account: LocalAccount, receiver: Receiver) -> None:
    stream = sending(account, receiver, RetryOptions={"DurationInSeconds": 0})
    receiver.script = [MISBEHAVING["503 without a body"]]
    stream.put(b"one")
    stream.deliver()
    assert len(receiver.requests) == 1 and len(stream.objects()) == 1


def test_what_is_too_large_is_dropped(account: LocalAccount, receiver: Receiver) -> None:
    stream = sending(account, receiver)
    receiver.script = [lambda asked: (413, JSON, said(asked, errorMessage="too large")), right]
    stream.put(b"one")
    stream.deliver()
    assert len(receiver.requests) == 1 and stream.objects() == {}
    stream.restart()
    told = described.need(account, stream.name).delivery
    assert told is not None and (told.failed, told.dropped) == (1, 1)
    assert [event.kind for event in account.events.read(kinds=["stream.dropped"])] == ["stream.dropped"]


@pytest.mark.parametrize("status", [413, 500])
def test_what_a_refusal_quotes_is_in_no_event(account: LocalAccount, receiver: Receiver, status: int) -> None:
    stream = sending(account, receiver, RetryOptions={"DurationInSeconds": 10})
    receiver.script = [lambda asked: (status, JSON, b'{"errorMessage": "what is planted-0815?"}'), right]
    stream.put(b"planted-0815")
    stream.turn(60.0)
    told = list(account.events.read(kinds=["stream.dropped", "stream.unanswered"]))
    assert [event.detail["reason"] for event in told] == [f"it answered {status}"]


@pytest.mark.parametrize(("script", "backed_up"), [([right], True), ([MISBEHAVING["500"]], True)])
def test_all_data_are_backed_up_where_that_is_asked(
    account: LocalAccount, receiver: Receiver, script: Any, backed_up: bool
) -> None:
    stream = sending(account, receiver, S3BackupMode="AllData", RetryOptions={"DurationInSeconds": 0})
    receiver.script = script
    stream.put(b"one", b"two")
    stream.deliver()
    found = {key: content for key, content in stream.objects().items() if "failed" not in key}
    assert list(found.values()) == [b"onetwo"]


def test_so_many_records_and_no_more_are_sent_at_a_time(account: LocalAccount, receiver: Receiver) -> None:
    stream = sending(account, receiver)
    for _ in range(21):
        stream.put(*[b"x"] * 500)
    stream.deliver()
    counts = [len(json.loads(body)["records"]) for _, _, body in receiver.requests]
    assert counts == [10_000, 500]


def test_whoever_takes_over_sends_the_same_id_and_does_not_begin_anew(
    account: LocalAccount, receiver: Receiver
) -> None:
    stream = sending(account, receiver, RetryOptions={"DurationInSeconds": 100})
    receiver.script = [MISBEHAVING["500"]]
    stream.put(b"one")
    stream.turn(60.0)
    stream.put(b"two")
    stream.restart()
    stream.turn(50.0)
    assert [headers["x-amz-firehose-request-id"] for _, headers, _ in receiver.requests][0::1].count(
        receiver.requests[0][1]["x-amz-firehose-request-id"]
    ) == 2
    stream.turn(60.0)
    ((_, content),) = stream.objects().items()
    assert [base64.b64decode(item["rawData"]) for item in failures(content)] == [b"one"]


def test_a_key_may_be_a_secret(account: LocalAccount, receiver: Receiver) -> None:
    made = account.client("secretsmanager").create_secret(Name="collector", SecretString='{"api_key": "k-2"}')
    secret = {"SecretARN": made["ARN"], "RoleARN": ROLE, "Enabled": True}
    stream = sending(account, receiver, SecretsManagerConfiguration=secret)
    stream.put(b"one")
    stream.deliver()
    assert receiver.requests[0][1]["x-amz-firehose-access-key"] == "k-2"
    account.client("secretsmanager").delete_secret(SecretId="collector", ForceDeleteWithoutRecovery=True)
    stream.put(b"two")
    assert stream.turn(60.0) and "holds no object with an api_key" in stream.deliverer.stands.told


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
    ],
    ids=["head", "body", "the last body"],
)
def test_an_answer_that_drips_is_none(head: bytes) -> None:
    """A socket's own timeout begins anew with each byte: a delivery would wait as long as they come."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        dripped, awaited = threading.Event(), threading.Event()

        def drip() -> None:
            connection, _ = door.accept()
            with connection, suppress(OSError):
                connection.sendall(head)
                for _ in range(3000):
                    if dripped.wait(0.01):
                        return
                    connection.sendall(b"H")
                awaited.set()  # by whoever waits for all of it

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(OSError, match="no whole answer"):
            delivering.post(f"http://127.0.0.1:{door.getsockname()[1]}/", {}, b"{}", 0.1)
        dripped.set()
        dripping.join()
        assert not awaited.is_set()


def test_pauses_grow_and_end_growing() -> None:
    chance = random.Random(7)
    for attempt, around in ((1, 1), (2, 2), (5, 16), (8, 120), (500, 120)):
        assert all(0.85 * around <= pause(attempt, chance) <= 1.15 * around for _ in range(50))


def test_a_key_that_no_header_can_have_is_told_to_nobody(
    account: LocalAccount, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    given = {"Url": URL, "AccessKey": "planted-0815\n"}
    stream = sending(account, receiver, EndpointConfiguration=given, RetryOptions={"DurationInSeconds": 0})
    stream.put(b"a")
    stream.deliver()
    (content,) = stream.objects().values()
    (told,) = failures(content)
    assert "access key" in told["errorMessage"]
    said = [str(event) for event in account.events.read(ids={"stream": "events"})]
    assert "planted" not in str([told, said, stream.deliverer.stands, *capfd.readouterr()])
