"""What is done to records on their way: functions, de-aggregation, partition keys, delimiters, and what fails."""

from __future__ import annotations

import base64
import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stream_parts import BUCKET, FUNCTION, ROLE, failures, opened, processors, s3

from mlops.account.local import LocalAccount
from mlops.account.local.delivery import processing
from mlops.account.local.delivery.objects import Objects
from mlops.account.local.delivery.processing import InvocationFailed
from mlops.account.local.delivery.record import Record
from mlops.account.local.delivery.settings import MIB, Place
from mlops.knowledge.streams.names import FUNCTION as BY_FUNCTION
from mlops.knowledge.streams.names import QUERY, Naming

TRANSFORM = ("Lambda", {"LambdaArn": FUNCTION})
JSON_PARTS = ("RecordDeAggregation", {"SubRecordType": "JSON"})
NEWLINE = ("AppendDelimiterToRecord", {})


def answer(event: Mapping[str, Any], *results: Any) -> dict[str, Any]:
    """For each record in turn: its result, or its new data."""
    told = []
    for record, result in zip(event["records"], results, strict=False):
        if isinstance(result, bytes):
            told.append({"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(result).decode()})
        elif isinstance(result, str):
            told.append({"recordId": record["recordId"], "result": result, "data": record["data"]})
        else:
            told.append({"recordId": record["recordId"], **result})
    return {"records": told}


RECORDS = (b"a", b"b", b"c")


@pytest.mark.parametrize(
    ("answers", "delivered", "failed"),
    [
        (lambda event: answer(event, b"A", b"", b"C"), b"AC", {}),
        (lambda event: answer(event, "Ok", "Dropped", "Ok"), b"ac", {}),
        (lambda event: answer(event, "Ok", "ProcessingFailed", "Ok"), b"ac", {"b": "Lambda.ProcessingFailedStatus"}),
        (lambda event: answer(event, "Ok", "ok", "Ok"), b"ac", {"b": "Lambda.JsonProcessingException"}),
        (lambda event: answer(event, "Ok", {"result": "Ok", "data": "?"}, "Ok"), b"ac",
         {"b": "Lambda.JsonProcessingException"}),
        (lambda event: answer(event, "Ok", "Ok"), b"ab", {"c": "Lambda.MissingRecordId"}),
        (lambda event: {"records": [*answer(event, "Ok", "Ok", "Ok")["records"],
                                    answer(event, "Ok")["records"][0]]}, b"bc", {"a": "Lambda.DuplicatedRecordId"}),
        (lambda event: {"records": [*answer(event, "Ok", "Ok", "Ok")["records"],
                                    {"recordId": "unknown", "result": "Ok", "data": "eA=="}]}, b"abc", {}),
        (lambda event: {"records": list(reversed(answer(event, "Ok", "Ok", "Ok")["records"]))}, b"cba", {}),
        (lambda event: None, b"", dict.fromkeys("abc", "Lambda.JsonProcessingException")),
        (lambda event: {"records": ["x"]}, b"", dict.fromkeys("abc", "Lambda.JsonProcessingException")),
    ],
)  # fmt: skip
def test_what_a_function_answers(
    shared: LocalAccount, request: pytest.FixtureRequest, answers: Any, delivered: bytes, failed: dict[str, str]
) -> None:
    name = f"fn-{request.node.callspec.indices['answers']}"
    stream = opened(shared, name, **s3(Prefix=f"{name}/", **processors(TRANSFORM)))
    events: list[Mapping[str, Any]] = []

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        events.append(event)
        return answers(event)

    stream.ports = {"invoke": invoke}
    stream.restart()
    stream.put(*RECORDS)
    stream.deliver()
    written = stream.objects(f"{name}/")
    good = b"".join(content for key, content in written.items() if "processing-failed" not in key)
    bad = [item for key, content in written.items() if "processing-failed" in key for item in failures(content)]
    assert good == delivered
    assert {base64.b64decode(item["rawData"]).decode(): item["errorCode"] for item in bad} == failed
    assert all(item["lambdaArn"] == FUNCTION and item["attemptsMade"] == len(events) for item in bad)
    assert events[0]["deliveryStreamArn"].endswith(f":deliverystream/{name}") and events[0]["region"] == "eu-west-1"
    assert len({record["recordId"] for record in events[0]["records"]}) == 3


@pytest.mark.parametrize(("fails", "retries", "asked", "arrives"), [(2, "3", 3, True), (9, "1", 2, False)])
def test_a_function_that_does_not_answer_is_asked_again(
    account: LocalAccount, fails: int, retries: str, asked: int, arrives: bool
) -> None:
    transform = ("Lambda", {"LambdaArn": FUNCTION, "NumberOfRetries": retries})
    stream = opened(account, **s3(**processors(transform)))
    calls: list[int] = []

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        calls.append(len(calls))
        if len(calls) <= fails:
            raise InvocationFailed("Lambda.FunctionTimedOut", "Task timed out after 3.00 seconds")
        return answer(event, b"A")

    stream.ports = {"invoke": invoke}
    stream.restart()
    stream.put(b"a")
    stream.deliver()
    ((key, content),) = stream.objects().items()
    assert len(calls) == asked
    if arrives:
        assert content == b"A"
    else:
        (told,) = failures(content)
        assert key.startswith("processing-failed/2018/07/")
        assert (told["attemptsMade"], told["errorCode"]) == (2, "Lambda.FunctionTimedOut")
        assert base64.b64decode(told["rawData"]) == b"a"


def test_a_function_is_given_so_much_at_a_time(account: LocalAccount) -> None:
    transform = ("Lambda", {"LambdaArn": FUNCTION, "BufferSizeInMBs": "0.2"})
    stream = opened(account, **s3(**processors(transform)))
    sizes: list[int] = []

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        sizes.append(len(event["records"]))
        return answer(event, *["Ok"] * len(event["records"]))

    stream.ports = {"invoke": invoke}
    stream.restart()
    stream.put(*[b"x" * 50_000] * 10)
    stream.deliver()
    assert sizes == [4, 4, 2]
    assert sum(map(len, stream.objects().values())) == 500_000


def test_a_function_of_the_account_changes_records(account: LocalAccount) -> None:
    program = """
import base64, json
def handler(event, context):
    return {"records": [{"recordId": r["recordId"], "result": "Ok",
        "data": base64.b64encode(base64.b64decode(r["data"]).upper()).decode()} for r in event["records"]]}
"""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("change.py", program)
    account.client("lambda").create_function(
        FunctionName="change", Runtime="python3.12", Role=ROLE, Handler="change.handler",
        Code={"ZipFile": held.getvalue()}, Timeout=30,
    )  # fmt: skip
    stream = opened(account, **s3(**processors(TRANSFORM, NEWLINE)))
    stream.put(b"a", b"b")
    stream.deliver()
    assert list(stream.objects().values()) == [b"A\nB\n"]


def test_a_function_that_is_not_there_fails_its_records(account: LocalAccount) -> None:
    stream = opened(account, **s3(**processors(TRANSFORM)))
    stream.put(b"a")
    stream.deliver()
    (content,) = stream.objects().values()
    assert failures(content)[0]["errorCode"] == "Lambda.ResourceNotFound"


@pytest.mark.parametrize(
    ("given", "put", "delivered", "failed"),
    [
        ((JSON_PARTS,), b'{"a":1} {"b": "}"}\n{"c":[1,2]}', b'{"a":1}{"b": "}"}{"c":[1,2]}', 0),
        ((JSON_PARTS, NEWLINE), b'[{"a":1},{"a":2}]', b'{"a": 1}\n{"a": 2}\n', 0),
        ((JSON_PARTS,), b'{"a":1} {"b"', b"", 1),
        ((JSON_PARTS,), b"\xff", b"", 1),
        ((("RecordDeAggregation", {"SubRecordType": "DELIMITED", "Delimiter": base64.b64encode(b"#|").decode()}),
          NEWLINE), b"a#|b#|#|c", b"a\nb\nc\n", 0),
        ((("AppendDelimiterToRecord", {"Delimiter": "\\t"}),), b"a", b"a\t", 0),
        ((("AppendDelimiterToRecord", {"Delimiter": "\u00e9\\"}),), b"a", b"a\xc3\xa9\\", 0),
        ((("Decompression", {"CompressionFormat": "GZIP"}),), b"no gzip", b"", 1),
    ],
)  # fmt: skip
def test_records_are_taken_apart_and_delimited(
    shared: LocalAccount, request: pytest.FixtureRequest, given: Any, put: bytes, delivered: bytes, failed: int
) -> None:
    name = f"parts-{request.node.callspec.indices['given']}"
    stream = opened(shared, name, **s3(Prefix=f"{name}/", **processors(*given)))
    stream.put(put)
    stream.deliver()
    written = stream.objects(f"{name}/")
    assert b"".join(content for key, content in written.items() if "processing-failed" not in key) == delivered
    bad = [item for key, content in written.items() if "processing-failed" in key for item in failures(content)]
    assert [base64.b64decode(item["rawData"]) for item in bad] == [put] * failed


@pytest.mark.parametrize(("size", "failed"), [(MIB, 0), (MIB + 1, 1)])
def test_what_unpacks_to_more_than_memory_has_fails_alone(
    account: LocalAccount, monkeypatch: pytest.MonkeyPatch, size: int, failed: int
) -> None:
    monkeypatch.setattr(processing, "LARGEST_UNPACKED", MIB)
    stream = opened(account, **s3(Prefix="good/", **processors(("Decompression", {"CompressionFormat": "GZIP"}))))
    stream.put(gzip.compress(b"a") + gzip.compress(bytes(size - 1), 1))
    stream.put(gzip.compress(b"b"))
    stream.deliver()
    good = [content for key, content in stream.objects().items() if "processing-failed" not in key]
    assert sum(map(len, good)) == 1 + (0 if failed else size) and len(stream.objects()) == 1 + failed


def test_log_envelopes_are_read(account: LocalAccount) -> None:
    logs = ("CloudWatchLogProcessing", {"DataMessageExtraction": "true"})
    stream = opened(account, **s3(**processors(("Decompression", {"CompressionFormat": "GZIP"}), logs)))
    for kind in ("CONTROL_MESSAGE", "DATA_MESSAGE"):
        stream.put(gzip.compress(json.dumps({"messageType": kind, "logEvents": [{"message": kind}]}).encode()))
    stream.deliver()
    assert list(stream.objects().values()) == [b"DATA_MESSAGE\n"]


PARTITIONED = {
    "DynamicPartitioningConfiguration": {"Enabled": True},
    "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
    "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
}


def keyed(query: str) -> tuple[str, dict[str, str]]:
    return "MetadataExtraction", {"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"}


def test_each_partition_is_an_object(account: LocalAccount) -> None:
    query = '{customer: .customer, year: (.at | strftime("%Y"))}'
    prefix = "c=!{partitionKeyFromQuery:customer}/y=!{partitionKeyFromQuery:year}/"
    stream = opened(account, **s3(**PARTITIONED, Prefix=prefix, **processors(keyed(query), NEWLINE)))
    rows = [{"customer": f"c{number % 3}", "at": 1_700_000_000, "n": number} for number in range(9)]
    stream.put(*(json.dumps(row).encode() for row in rows), b"not json", b"[1]", b'{"at": 1700000000}')
    stream.deliver()
    found = stream.objects()
    good = {key.partition("/")[0]: content for key, content in found.items() if key.startswith("c=")}
    assert {key: [json.loads(line)["n"] for line in content.splitlines()] for key, content in good.items()} == {
        "c=c0": [0, 3, 6],
        "c=c1": [1, 4, 7],
        "c=c2": [2, 5, 8],
    }
    assert all("/y=2023/2018/07/09/23/events-1-" in key for key in found if key.startswith("c="))
    (bad,) = [content for key, content in found.items() if key.startswith("bad/processing-failed/")]
    assert [base64.b64decode(item["rawData"]) for item in failures(bad)] == [
        b"not json", b"[1]", b'{"at": 1700000000}',
    ]  # fmt: skip


@pytest.mark.proof("streams")
def test_there_are_so_many_partitions_and_no_more(account: LocalAccount) -> None:
    prefix = "!{partitionKeyFromQuery:k}/"
    stream = opened(account, **s3(**PARTITIONED, Prefix=prefix, **processors(keyed("{k: .k}"))))
    stream.put(*(b'{"k":"p%d"}' % number for number in range(500)))
    stream.put(b'{"k":"one more"}', b'{"k":"p7"}')
    stream.deliver()
    (bad,) = stream.objects("bad/").values()
    assert [item["errorCode"] for item in failures(bad)] == ["DynamicPartitioning.ActivePartitionLimitExceeded"]
    listed = account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="p")
    assert sum(len(page["Contents"]) for page in listed) == 500
    assert list(stream.objects("p7/").values()) == [b'{"k":"p7"}{"k":"p7"}']


def test_keys_come_from_a_function(account: LocalAccount) -> None:
    prefix = "!{partitionKeyFromLambda:team}/"
    stream = opened(account, **s3(**PARTITIONED, Prefix=prefix, **processors(TRANSFORM)))

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        told = answer(event, *["Ok"] * 5)
        for number, item in enumerate(told["records"][:2]):
            item["metadata"] = {"partitionKeys": {"team": f"t{number}"}}
        for item, metadata in zip(told["records"][2:], odd, strict=True):
            item["metadata"] = metadata
        return told

    odd = [{"partitionKeys": {"other": "t"}}, "metadata", {"partitionKeys": {"team": "\ud800"}}]

    stream.ports = {"invoke": invoke}
    stream.restart()
    stream.put(*RECORDS, b"d", b"e")
    stream.deliver()
    found = {key.partition("/")[0]: content for key, content in stream.objects().items()}
    assert (found["t0"], found["t1"]) == (b"a", b"b")
    assert [item["errorCode"] for item in failures(found["bad"])] == ["DynamicPartitioning.PartitionKeyNotFound"] * 3


def test_all_are_backed_up_as_they_came(account: LocalAccount) -> None:
    account.ensure_bucket("acme-raw")
    backup = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::acme-raw", "CompressionFormat": "GZIP", "Prefix": "raw/"}
    given = s3(S3BackupMode="Enabled", S3BackupConfiguration=backup, **processors(JSON_PARTS, NEWLINE))
    stream = opened(account, **given)
    stream.put(b'{"a":1}{"a":2}', b"no json")
    stream.deliver()
    ((key, content),) = stream.objects(bucket="acme-raw").items()
    assert key.startswith("raw/2018/07/09/23/events-1-") and gzip.decompress(content) == b'{"a":1}{"a":2}no json'
    assert b'{"a":1}\n{"a":2}\n' in stream.objects().values()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({QUERY: {"a": "1/b=2", "b": "3", "c": "k"}}, {QUERY: {"a": "1", "b": "2/b=3", "c": "k"}}),
        ({BY_FUNCTION: {"a": "1"}, QUERY: {"c": "k"}}, {QUERY: {"a": "1", "c": "k"}}),
    ],
)
def test_no_partition_writes_over_another(tmp_path: Path, one: Any, other: Any) -> None:
    written: dict[str, bytes] = {}
    objects = Objects("1/16", tmp_path, lambda bucket, key, content: written.update({key: b"".join(content)}))
    at = Place("acme", Naming("events", "1", uuid.UUID(int=7), "!{partitionKeyFromQuery:c}/", "bad/"), "UNCOMPRESSED")
    for number, keys in enumerate((one, other)):
        assert objects.add(Record(str(number), 0, b"%d" % number, keys=keys), at) is None
    objects.write()
    assert sorted(written.values()) == [b"0", b"1"]
