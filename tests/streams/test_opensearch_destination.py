"""Streams to OpenSearch, held against a cluster that takes a part, too little or nothing. A real one has its own tests
(``tests/search``)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stream_parts import ARN, BUCKET, ROLE, Stream, failures, processors
from test_http_endpoints import JSON, Receiver

from mlops.account.local import LocalAccount
from mlops.account.local.delivery.opensearch import index
from mlops.deploy.streams import replay
from mlops.deploy.streams.described import need

Item = tuple[int, str | None]
Told = Callable[[list[tuple[dict[str, Any], bytes]]], list[Item]]
INDEX = "events-2018-07-09"


def bulk(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    lines = body.split(b"\n")
    assert lines[-1] == b"" and len(lines) % 2
    return [(json.loads(lines[at])["index"], lines[at + 1]) for at in range(0, len(lines) - 1, 2)]


def answering(*statuses: Item) -> Any:
    """One for each document, the last for all others; a document of a kind of its own is asked by its text."""

    def act(documents: list[tuple[dict[str, Any], bytes]]) -> tuple[int, Mapping[str, str], bytes]:
        given = [statuses[min(number, len(statuses) - 1)] for number in range(len(documents))]
        items = [
            {
                "index": {
                    "_id": "1",
                    "status": status,
                    **({"error": {"type": kind, "reason": "planted"}} if kind else {}),
                }
            }
            for status, kind in given
        ]
        return 200, JSON, json.dumps({"errors": any(kind for _, kind in given), "items": items}).encode()

    return act


TAKEN: Item = (201, None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Receiver]:
    found = Receiver()
    found.read = bulk
    yield found
    found.server.shutdown()
    found.server.server_close()


def into(account: LocalAccount, cluster: Receiver, name: str = "events", **more: Any) -> Stream:
    cluster.script, cluster.requests = [answering(TAKEN)], []
    account.ensure_bucket(BUCKET)
    account.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        AmazonopensearchserviceDestinationConfiguration={
            "RoleARN": ROLE,
            "DomainARN": "arn:aws:es:eu-west-1:000000000000:domain/events",
            "IndexName": "events",
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN, "Prefix": f"{name}/"},
            **more,
        },
        Tags=[{"Key": "mlops:deliver-to", "Value": cluster.url.partition("/here")[0]}],
    )
    return Stream(account, name)


def documents(cluster: Receiver, number: int = -1) -> list[tuple[dict[str, Any], bytes]]:
    return bulk(cluster.requests[number][2])


def test_documents_are_told_in_bulk(account: LocalAccount, cluster: Receiver) -> None:
    stream = into(account, cluster)
    stream.put(b'{"a": 1}\n', b'{"a": 2}')
    stream.deliver()
    ((path, headers, _),) = cluster.requests
    assert (path, headers["content-type"]) == ("/_bulk", "application/x-ndjson")
    found = documents(cluster)
    assert [body for _, body in found] == [b'{"a": 1}', b'{"a": 2}']
    assert {told["_index"] for told, _ in found} == {INDEX} and len({told["_id"] for told, _ in found}) == 2
    assert stream.objects() == {} and stream.deliverer.idle() and stream.deliverer.stands.delivered == 2
    told = need(account, "events")  # type: ignore[arg-type]
    assert (told.destination, told.to.rpartition("/")[2]) == ("OpenSearch", "events")


@pytest.mark.parametrize(
    ("rotation", "name"),
    [
        ("NoRotation", "i"),
        ("OneHour", "i-2016-02-25-13"),
        ("OneDay", "i-2016-02-25"),
        ("OneWeek", "i-2016-w08"),
        ("OneMonth", "i-2016-02"),
    ],
)
def test_indexes_are_named_as_the_guide_names_them(rotation: str, name: str) -> None:
    assert index("i", rotation, int(datetime(2016, 2, 25, 13, 0, 0, tzinfo=UTC).timestamp() * 1000)) == name


def test_no_ids_are_told_where_none_are_wanted(account: LocalAccount, cluster: Receiver) -> None:
    stream = into(account, cluster, DocumentIdOptions={"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"})
    stream.put(b"{}")
    stream.deliver()
    assert documents(cluster) == [({"_index": INDEX}, b"{}")]


def test_only_what_may_be_taken_later_is_told_again(account: LocalAccount, cluster: Receiver) -> None:
    """By the id that it had; what never will is kept with its reason, and comes back by a replay."""
    stream = into(account, cluster)
    cluster.script = [
        answering(TAKEN, (429, "rejected"), (400, "mapper_parsing_exception"), (503, "unavailable")),
        answering((429, "rejected"), TAKEN),
        answering(TAKEN),
    ]
    stream.put(*(b'{"n": %d}' % number for number in range(4)))
    waits = [stream.turn(300.0), stream.turn(1.2), stream.turn(2.4)]
    assert all(waits[:2]) and waits[2] == 0.0
    told = [[body for _, body in documents(cluster, number)] for number in range(3)]
    assert told[1:] == [[b'{"n": 1}', b'{"n": 3}'], [b'{"n": 1}']]
    assert documents(cluster, 2)[0] == documents(cluster, 0)[1]
    ((key, content),) = stream.objects().items()
    assert key.startswith("events/AmazonOpenSearchService_failed/2018/07/09/23/events-1-")
    (failed,) = failures(content)
    assert base64.b64decode(failed["rawData"]) == b'{"n": 2}'
    assert (failed["errorCode"], failed["esIndexName"], failed["attemptsMade"]) == ("400", INDEX, 1)
    assert json.loads(failed["errorMessage"]) == {"type": "mapper_parsing_exception", "reason": "planted"}
    assert failed["esDocumentId"] == documents(cluster, 0)[2][0]["_id"] and failed["esTypeName"] == ""
    assert {"arrivalTimestamp", "attemptEndingTimestamp"} < set(failed)
    found = need(account, "events")  # type: ignore[arg-type]
    (item,) = replay.failed_objects(account, found)  # type: ignore[arg-type]
    for known, chosen in ((failed["esDocumentId"], True), ("another", False)):
        (line,) = replay.lines(account, found, item, replay.Part(ids=frozenset({known})))  # type: ignore[arg-type]
        assert (line.record, line.chosen) == (b'{"n": 2}', chosen)
    assert "planted" not in str([stream.deliverer.stands, list(account.events.read(ids={"stream": "events"}))])


REFUSING: dict[str, Any] = {
    "503": lambda asked: (503, JSON, b'{"error": {"type": "unavailable", "reason": "planted"}}'),
    "401": lambda asked: (401, {}, b"Unauthorized"),
    "another count": lambda asked: (200, JSON, b'{"items": []}'),
    "no JSON": lambda asked: (200, JSON, b"<html>"),
    "a list": lambda asked: (200, JSON, b"[]"),
    "no answer": lambda asked: None,
}


@pytest.mark.parametrize("how", REFUSING)
def test_a_cluster_that_takes_nothing_is_told_again(shared: LocalAccount, cluster: Receiver, how: str) -> None:
    name = f"again-{list(REFUSING).index(how)}"
    stream = into(shared, cluster, name, RetryOptions={"DurationInSeconds": 10})
    cluster.script = [REFUSING[how], answering(TAKEN)]
    stream.put(b"{}")
    assert stream.turn(300.0) and stream.deliverer.stands.told
    assert stream.turn(1.2) == 0.0 and documents(cluster, 0) == documents(cluster, 1)
    cluster.script = [REFUSING[how]]
    stream.put(b'{"late": 1}')
    stream.deliver()
    ((_, content),) = stream.objects(f"{name}/").items()
    (failed,) = failures(content)
    assert base64.b64decode(failed["rawData"]) == b'{"late": 1}'
    assert failed["errorCode"] == {"503": "503", "401": "401", "no answer": "InternalError"}.get(how, "200")
    assert how != "no answer" or f"no answer from {cluster.url.partition('/here')[0]}: " in failed["errorMessage"]


def test_what_is_no_document_in_one_line_fails_alone(account: LocalAccount, cluster: Receiver) -> None:
    """It would be an action to the cluster, or break the request for all."""
    stream = into(account, cluster)
    bad = [b"", b"no json", b"[1]", b'{"a":\n1}', b'{"a": "\xff"}', b'{"a": 1}\n{"a": 2}', b"[" * 100_000]
    stream.put(*bad, b'{"good": 1}')
    stream.deliver()
    assert [body for _, body in documents(cluster)] == [b'{"good": 1}']
    ((_, content),) = stream.objects().items()
    assert [base64.b64decode(item["rawData"]) for item in failures(content)] == bad
    assert {item["errorCode"] for item in failures(content)} == {"400"}


def test_a_request_that_is_too_large_goes_in_parts(account: LocalAccount, cluster: Receiver) -> None:
    stream = into(account, cluster)

    def takes_two(asked: list[tuple[dict[str, Any], bytes]]) -> Any:
        huge = len(asked) > 2 or any(b"huge" in line for _, line in asked)
        return (413, {}, b"") if huge else answering(TAKEN)(asked)

    cluster.script = [takes_two]
    stream.put(b'{"n": 0}', b'{"n": 1}', b'{"n": 2}', b'{"n": 3}', b'{"huge": 1}')
    stream.deliver()
    taken = [body for number in range(len(cluster.requests)) for _, body in documents(cluster, number)]
    assert {b'{"n": %d}' % number for number in range(4)} < set(taken)
    assert stream.deliverer.stands.delivered == 4
    ((_, content),) = stream.objects().items()
    assert [(item["errorCode"], base64.b64decode(item["rawData"])) for item in failures(content)] == [
        ("413", b'{"huge": 1}')
    ]


def test_documents_of_one_record_have_ids_of_their_own(account: LocalAccount, cluster: Receiver) -> None:
    """The same ones when whoever takes over tells them again."""
    stream = into(account, cluster, **processors(("RecordDeAggregation", {"SubRecordType": "JSON"})))
    cluster.script = [REFUSING["503"], answering(TAKEN)]
    stream.put(b'{"a": 1}{"a": 2}', b'{"a": 3}')
    stream.turn(300.0)
    stream.restart()
    stream.turn(10.0)
    first, second = documents(cluster, 0), documents(cluster, 1)
    assert first == second and len({told["_id"] for told, _ in first}) == 3


def test_all_documents_are_kept_where_that_is_asked(account: LocalAccount, cluster: Receiver) -> None:
    stream = into(account, cluster, S3BackupMode="AllDocuments")
    cluster.script = [answering(TAKEN, (400, "bad"))]
    stream.put(b'{"a": 1}', b'{"a": 2}')
    stream.deliver()
    found = stream.objects()
    assert [content for key, content in found.items() if "failed" not in key] == [b'{"a": 1}{"a": 2}']
    assert len(found) == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"ClusterEndpoint": "https://127.0.0.1:9/"}, "Exactly one of DomainARN and ClusterEndpoint"),
        ({"DomainARN": None}, "Exactly one of DomainARN and ClusterEndpoint"),
        ({"IndexName": "Events"}, "is none of an index"),
        ({"IndexName": "_events"}, "is none of an index"),
        ({"RetryOptions": {"DurationInSeconds": 7201}}, "less than or equal to 7200"),
        ({"BufferingHints": {"SizeInMBs": 101, "IntervalInSeconds": 1}}, "less than or equal to 100"),
        ({"IndexRotationPeriod": "OneYear"}, "enum value set"),
    ],
)
def test_what_no_cluster_can_be_told_is_not_made(
    shared: LocalAccount, cluster: Receiver, more: dict[str, Any], says: str
) -> None:
    given = {
        "RoleARN": ROLE,
        "DomainARN": "arn:aws:es:eu-west-1:000000000000:domain/events",
        "IndexName": "events",
        "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN},
        **more,
    }
    with pytest.raises(ClientError) as caught:
        shared.client("firehose").create_delivery_stream(
            DeliveryStreamName="judged",
            AmazonopensearchserviceDestinationConfiguration={k: v for k, v in given.items() if v is not None},
            Tags=[{"Key": "mlops:deliver-to", "Value": cluster.url}],
        )
    assert says in caught.value.response["Error"]["Message"]


def test_a_domain_is_sent_to_nobody_elsewhere(shared: LocalAccount) -> None:
    for where in (
        {"DomainARN": "arn:aws:es:eu-west-1:000000000000:domain/events"},
        {"ClusterEndpoint": "https://search-events.eu-west-1.es.amazonaws.com"},
    ):
        with pytest.raises(ClientError, match="sends nothing to"):
            shared.client("firehose").create_delivery_stream(
                DeliveryStreamName="elsewhere",
                AmazonopensearchserviceDestinationConfiguration={
                    "RoleARN": ROLE,
                    "IndexName": "events",
                    "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN},
                    **where,
                },
            )
