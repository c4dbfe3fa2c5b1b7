"""The server as programs of any kind meet it: raw HTTP, good and bad, slow and many at once."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from mlops.account.local.services.s3 import buckets
from mlops.account.wire.answers import Answers, Told
from mlops.account.wire.connection import Limits
from mlops.account.wire.messages import BIGGEST_WHOLE_BODY
from mlops.account.wire.server import Server

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIAREALLOOKING00000/20260101/{region}/{service}/aws4_request, Signature=0"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WHO = "Action=GetCallerIdentity&Version=2011-06-15"


class Running:
    def __init__(self, folder: Path, **given: Any) -> None:
        self.told: list[Told] = []
        self.server = Server(Answers(folder, "us-east-1", tell=self.told.append), **given)
        self.server.start()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {}, **more)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.headers
        finally:
            connection.close()

    def raw(self, text: bytes) -> bytes:
        """All that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:
            client.sendall(text)
            parts = []
            while part := client.recv(65_536):
                parts.append(part)
            return b"".join(parts)

    def client(self, service: str, **more: Any) -> Any:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        return make(service, endpoint_url=self.server.url, **{**keys, **more})


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path / ".mlops")
    yield found
    found.server.stop()


def signed(service: str, region: str = "us-east-1", **more: str) -> dict[str, str]:
    return {"Authorization": SIGNED.format(service=service, region=region), **more}


TARGET = {"X-Amz-Target": "SageMaker.ListPipelines", "Content-Type": "application/x-amz-json-1.1"}
REFUSED: list[tuple[str, str, str, dict[str, str], str | bytes | None, int, str]] = [
    ("an operation that we have not", "POST", "/", {**signed("sagemaker"), "X-Amz-Target": "SageMaker.ListHubs"},
     b"{}", 400, '"__type":"UnknownOperationException"'),
    ("an operation that is none", "POST", "/", {**signed("sagemaker"), "X-Amz-Target": "SageMaker.Nothing"},
     b"{}", 400, "There is no operation 'Nothing' of sagemaker"),
    ("a service that we have not", "POST", "/", {**signed("dynamodb"), "X-Amz-Target": "DynamoDB_20120810.ListTables"},
     b"{}", 400, "does not answer dynamodb"),
    ("a service of forms that we have not", "POST", "/", {**signed("rds"), **FORM}, "Action=DescribeDBs&Version=1",
     400, "<Code>UnknownOperationException</Code>"),
    ("a service of REST and XML that we have not", "GET", "/2013-04-01/hostedzone", signed("route53"), None,
     400, "<ErrorResponse><Error><Type>Sender</Type><Code>UnknownOperationException"),
    ("an action that is none", "POST", "/", {**signed("sts"), **FORM}, "Action=Nothing&Version=2011-06-15",
     400, "<Code>InvalidAction</Code>"),
    ("no JSON", "POST", "/", {**signed("sagemaker"), **TARGET}, b"{", 400, "SerializationException"),
    ("JSON that is no object", "POST", "/", {**signed("sagemaker"), **TARGET}, b"[]", 400, "SerializationException"),
    ("JSON that is very deep", "POST", "/", {**signed("sagemaker"), **TARGET}, b'{"a":' + b"[" * 100_000, 400,
     "SerializationException"),
    ("conditions that are very deep", "POST", "/",
     {**signed("sagemaker"), **TARGET, "X-Amz-Target": "SageMaker.Search"},
     b'{"Resource":"Model","SearchExpression":' + b'{"SubExpressions":[' * 400 + b"{}" + b"]}" * 400 + b"}", 400,
     "The request is nested too deeply"),
    ("a member of another type", "POST", "/", {**signed("sagemaker"), **TARGET}, b'{"MaxResults": "x"}', 400,
     "ValidationException"),
    ("no CBOR", "POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics",
     {**signed("monitoring"), "smithy-protocol": "rpc-v2-cbor"}, b"\xff", 400, "SerializationException"),
    ("CBOR of more items than bytes", "POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics",
     {**signed("monitoring"), "smithy-protocol": "rpc-v2-cbor"}, b"\xbb" + b"\xff" * 8, 400, "SerializationException"),
    ("a form that contradicts itself", "POST", "/", {**signed("monitoring"), **FORM},
     "Action=PutMetricData&Version=2010-08-01&Namespace=a&Namespace.b=c", 400, "MalformedQueryString"),
    ("no XML", "POST", "/bucket-a?delete", signed("s3"), b"<Delete>", 400, "MalformedXML"),
    ("XML with a document type", "POST", "/bucket-a?delete", signed("s3"),
     b'<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>', 400, "MalformedXML"),
    ("no bucket of that name", "GET", "/bucket-b", signed("s3"), None, 404, "<Code>NoSuchBucket</Code>"),
    ("a bucket's matter that we have not", "GET", "/bucket-a?acl", signed("s3"), None, 400,
     "does not answer s3 GetBucketAcl"),
    ("a key that is no text", "GET", "/bucket-a/%ff", signed("s3"), None, 400, "<Code>InvalidURI</Code>"),
    ("a URL that is signed for the past", "GET", "/bucket-a/key?X-Amz-Credential=a/20200101/us-east-1/s3/aws4_request"
     "&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0", {}, None, 403, "Request has expired"),
    ("a URL that is signed without a time", "GET", "/bucket-a/key?X-Amz-Signature=0", {}, None, 400,
     "AuthorizationQueryParametersError"),
    ("a URL that was signed the old way", "GET", "/bucket-a/key?AWSAccessKeyId=a&Signature=b&Expires=1600000000", {},
     None, 403, "Request has expired"),
    ("a body that is too long", "POST", "/", {**signed("sagemaker"), **TARGET}, b" " * (BIGGEST_WHOLE_BODY + 1), 413,
     "RequestEntityTooLargeException"),
    ("pieces that end too early", "PUT", "/bucket-a/key", {**signed("s3"), "Content-Encoding": "aws-chunked"},
     b"5\r\nab", 400, "IncompleteBody"),
    ("pieces of no size", "PUT", "/bucket-a/key", {**signed("s3"), "Content-Encoding": "aws-chunked"},
     b"-1\r\nab\r\n0\r\n\r\n", 400, "IncompleteBody"),
    ("pieces of another length", "PUT", "/bucket-a/key",
     {**signed("s3"), "Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "3"},
     b"2\r\nab\r\n0\r\n\r\n", 400, "IncompleteBody"),
    ("a checksum that is another's", "PUT", "/bucket-a/key",
     {**signed("s3"), "Content-Encoding": "aws-chunked", "x-amz-trailer": "x-amz-checksum-crc32"},
     b"2\r\nab\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400, "BadDigest"),
    ("a checksum that does not come", "PUT", "/bucket-a/key",
     {**signed("s3"), "Content-Encoding": "aws-chunked", "x-amz-trailer": "x-amz-checksum-crc32"},
     b"2\r\nab\r\n0\r\n\r\n", 400, "MalformedTrailerError"),
    ("a digest of another body", "PUT", "/bucket-a/key", signed("s3", **{"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
     b"ab", 400, "BadDigest"),
]  # fmt: skip


def test_what_is_refused_is_told_in_the_services_form_and_nothing_is_written(running: Running) -> None:
    running.ask("PUT", "/bucket-a", headers=signed("s3"))
    for title, method, path, headers, body, status, said in REFUSED:
        found, text, _ = running.ask(method, path, body, headers)
        assert (found, said in text.decode(errors="replace")) == (status, True), (title, found, text[:400])
    assert [told for told in running.told if told.mistake is not None] == []
    assert running.ask("HEAD", "/bucket-a/key", headers=signed("s3"))[0] == 404


HOSTS = [
    ({"Host": "localhost"}, 200),
    ({"Host": "127.0.0.1:1"}, 200),
    ({"Host": "sts.localhost:80"}, 200),
    ({"Host": "rebound.example"}, 403),
    ({"Host": "localhost.rebound.example"}, 403),
    ({"Host": "localhost", "Origin": "https://page.example"}, 403),
    ({"Host": "localhost", "Origin": "null"}, 403),
    ({"Host": "localhost", "Sec-Fetch-Site": "cross-site"}, 403),
    ({"Host": "localhost", "Origin": "http://localhost:3000"}, 200),
]


@pytest.mark.parametrize(("headers", "status"), HOSTS, ids=[str(headers) for headers, _ in HOSTS])
def test_a_page_that_has_made_its_name_lead_here_is_not_answered(
    running: Running, headers: dict[str, str], status: int
) -> None:
    assert running.ask("POST", "/", WHO, {**signed("sts"), **FORM, **headers})[0] == status


def test_a_bucket_may_be_a_host(running: Running) -> None:
    running.ask("PUT", "/", headers=signed("s3", Host="data.s3.localhost"))
    running.ask("PUT", "/a/b%20c", b"content", signed("s3", Host="data.localhost:4577"))
    assert running.ask("GET", "/data/a/b%20c")[1] == b"content", "what nobody has signed is S3's"
    assert running.ask("GET", "/a/b%20c", headers={"Host": "data.s3.eu-west-1.localhost"})[1] == b"content"
    assert b"<Name>data</Name>" in running.ask("GET", "/?list-type=2", headers={"Host": "data.localhost"})[1]


@pytest.mark.parametrize(
    "text",
    [
        b"HELO\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_of_http_is_told_so(running: Running, text: bytes) -> None:
    assert running.raw(text).startswith(b"HTTP/1.1 400 ")


def test_several_requests_at_once_are_answered_in_their_order(running: Running) -> None:
    running.ask("PUT", "/bucket-a", headers=signed("s3"))
    put = b"PUT /bucket-a/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n%s"
    get = b"GET /bucket-a/k HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    told = running.raw(put % (b"k", b"1") + get % b"" + put % (b"k", b"2") + get % b"Connection: close\r\n")
    assert [part.rpartition(b"\r\n\r\n")[2] for part in told.split(b"HTTP/1.1 200 OK")[1:]] == [b"", b"1", b"", b"2"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"", b""),
        (b"GET / HT", b"HTTP/1.1 408 "),
        (b"PUT /bucket-a/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1", b"HTTP/1.1 408 "),
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_is_slow_is_sent_away(tmp_path: Path, text: bytes, status: bytes) -> None:
    running = Running(tmp_path, limits=Limits(idle=0.2, head=0.2, body=0.2))
    running.ask("PUT", "/bucket-a", headers=signed("s3"))
    assert running.raw(text)[:13] == status
    assert running.ask("HEAD", "/bucket-a/k", headers=signed("s3"))[0] == 404
    assert not [*tmp_path.glob("objects/.writing/*")], "of half a body nothing stays"
    running.server.stop()


def test_a_body_that_is_waited_for_is_asked_for(running: Running) -> None:
    running.ask("PUT", "/bucket-a", headers=signed("s3"))
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=20) as client:
        client.sendall(
            b"PUT /bucket-a/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert client.recv(1024).startswith(b"HTTP/1.1 200 OK")
    refused = b"PUT /bucket-b/k HTTP/1.1\r\nHost: x.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert running.raw(refused).startswith(b"HTTP/1.1 403 ")


def test_whoever_rests_longest_makes_room(tmp_path: Path) -> None:
    running = Running(tmp_path, most=2)
    clients = [socket.create_connection(("127.0.0.1", running.server.port), timeout=20) for _ in range(3)]
    assert clients[0].recv(1) == b""
    request = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    clients[2].sendall(f"{request}Content-Length: {len(WHO)}\r\n\r\n{WHO}".encode())
    assert clients[2].recv(1024).startswith(b"HTTP/1.1 200 OK")
    for client in clients:
        client.close()
    running.server.stop()


def test_a_large_object_goes_through_in_pieces(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece that reaches the store is small."""
    sizes: list[int] = []
    plain = buckets.chunks

    def watched(file: Any) -> Iterator[bytes]:
        for piece in plain(file):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(buckets, "chunks", watched)
    s3 = running.client("s3")
    s3.create_bucket(Bucket="bucket-a")
    content = os.urandom(1024 * 1024) * 24
    s3.put_object(Bucket="bucket-a", Key="large", Body=content)
    assert sum(sizes) == len(content) and max(sizes) <= 2 * 1024 * 1024
    assert s3.get_object(Bucket="bucket-a", Key="large")["Body"].read() == content
    part = s3.get_object(Bucket="bucket-a", Key="large", Range="bytes=5-9")
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()) == (206, content[5:10])


def test_keys_of_any_letters_are_put_listed_and_read(running: Running) -> None:
    s3 = running.client("s3")
    s3.create_bucket(Bucket="bucket-a")
    keys = [
        "a b+c&d=e?f#g",
        "a//b",
        "\x01\x1f\r\n",
        "ü/世界",
        "%2F",
        "~'()*!",
        "/begins",
        "ends/",
        "a/../b",
        "<x>&amp;",
    ]
    for key in keys:
        s3.put_object(Bucket="bucket-a", Key=key, Body=key.encode())
    for call in (s3.list_objects_v2, s3.list_objects):
        assert sorted(item["Key"] for item in call(Bucket="bucket-a")["Contents"]) == sorted(keys)
    assert [s3.get_object(Bucket="bucket-a", Key=key)["Body"].read().decode() for key in keys] == keys
    s3.copy_object(Bucket="bucket-a", Key="copy", CopySource={"Bucket": "bucket-a", "Key": keys[0]})
    assert s3.get_object(Bucket="bucket-a", Key="copy")["Body"].read().decode() == keys[0]


def test_urls_that_are_signed_before(running: Running) -> None:
    s3 = running.client("s3")
    s3.create_bucket(Bucket="bucket-a")
    given = {"Bucket": "bucket-a", "Key": "a b"}
    for method, call, body in (("PUT", "put_object", b"content"), ("GET", "get_object", None)):
        for version in ("s3v4", "s3"):
            client = running.client("s3", config=boto3.session.Config(signature_version=version))
            more = {"ResponseContentType": "text/x"} if method == "GET" else {}
            url = urlsplit(client.generate_presigned_url(call, Params={**given, **more}, ExpiresIn=60))
            status, text, headers = running.ask(method, f"{url.path}?{url.query}", body)
            assert status == 200, text
            if method == "GET":
                assert (text, headers["Content-Type"]) == (b"content", "text/x")


def test_a_client_of_another_region_hears_arns_of_its_own(running: Running) -> None:
    running.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    there = running.client("sagemaker", region_name="eu-west-1")
    assert there.describe_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"].split(":")[3] == (
        "eu-west-1"
    )


def test_a_client_that_calls_the_url_of_a_queue_comes_here(running: Running) -> None:
    """As AWS's SDK for JavaScript does, whatever address it was given."""
    sqs = running.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{running.server.url}/000000000000/q"
    assert sqs.get_queue_url(QueueName="q")["QueueUrl"] == url and sqs.list_queues()["QueueUrls"] == [url]
    headers = {**signed("sqs"), "X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
    body = json.dumps({"QueueUrl": url, "MessageBody": "hello"}).encode()
    assert running.ask("POST", "/000000000000/q", body, headers)[0] == 200
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"


def test_of_a_key_nothing_is_kept(running: Running, tmp_path: Path) -> None:
    for service in ("sts", "sagemaker", "s3", "dynamodb"):
        running.ask("POST", "/", WHO, {**signed(service), **FORM})
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if b"AKIAREALLOOKING" in path.read_bytes()]
    assert "AKIA" not in repr(running.told)


def test_two_servers_and_many_clients_on_one_folder(tmp_path: Path) -> None:
    servers = [Running(tmp_path), Running(tmp_path)]
    servers[0].client("s3").create_bucket(Bucket="bucket-a")
    clients = [server.client("s3") for server in servers]

    def put(number: int) -> bool:
        try:
            clients[number % 2].put_object(Bucket="bucket-a", Key=f"{number // 8}", Body=b"x", IfNoneMatch="*")
        except clients[0].exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(put, range(64))) == 8, "each key is made by one"
    for server in servers:
        server.server.stop()


def test_an_answer_that_is_on_its_way_arrives_when_the_server_is_stopped(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()
    answers = Answers(tmp_path, "us-east-1")

    def slow(request: Any) -> Any:
        begun.set()
        may_end.wait(20)
        return answers(request)

    server = Server(slow)
    server.start()
    with ThreadPoolExecutor(2) as threads:
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        idle.connect()
        asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

        def ask() -> tuple[int, str | None]:
            asked.request("POST", "/", WHO, {**signed("sts"), **FORM})
            reply = asked.getresponse()
            reply.read()
            return reply.status, reply.getheader("Connection")

        answer = threads.submit(ask)
        begun.wait(20)
        stopped = threads.submit(server.stop, 20)
        assert idle.sock.recv(1) == b"", "who rests is sent away at once"
        may_end.set()
        assert answer.result() == (200, "close")
        stopped.result()
        idle.close()
        asked.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/proc/net/tcp").exists(), reason="only root can be another user")
def test_another_user_of_this_machine_is_not_answered(running: Running) -> None:
    ask = (
        "import os, sys, socket\n"
        "os.setuid(int(sys.argv[2]))\n"
        "with socket.socket() as client:\n"
        "    client.connect(('127.0.0.1', int(sys.argv[1])))\n"
        "    try:\n"
        "        client.sendall(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "        print(client.recv(12).decode())\n"
        "    except ConnectionError:\n"
        "        print()\n"
    )
    for user, told in (("0", "HTTP/1.1 200"), ("65534", "")):
        command = [sys.executable, "-I", "-S", "-c", ask, str(running.server.port), user]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == told


def test_a_refusal_by_model_tells_its_members(running: Running) -> None:
    status, text, headers = running.ask("POST", "/endpoints/none/invocations", b"1", signed("sagemaker"))
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationError")
    assert json.loads(text) == {"Message": "Endpoint none of account 000000000000 not found."}
