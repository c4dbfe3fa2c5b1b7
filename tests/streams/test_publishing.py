"""The publisher: what a request left is sent again, nothing is lost, and what nobody takes is kept within bounds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from mlops.deploy.streams.publisher import LARGEST_RECORD, Published, Publisher, Undelivered
from mlops.deploy.streams.splitting import LackingParts, joined
from mlops.ir import AccountError, UsageError


class Service:
    """Data Firehose as a publisher sees it: ``script`` says what becomes of each request, True of those behind it."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.taken: list[bytes] = []
        self.requests: list[list[bytes]] = []

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[Mapping[str, bytes]]) -> dict[str, Any]:
        records = [item["Data"] for item in Records]
        self.requests.append(records)
        act = self.script.pop(0) if self.script else True
        if isinstance(act, Exception):
            raise act
        fails: Callable[[bytes], bool] = (lambda record: not act) if isinstance(act, bool) else act
        kept = [not fails(record) for record in records]
        self.taken += [record for record, keep in zip(records, kept, strict=True) if keep]
        answers = [{"RecordId": "1"} if keep else {"ErrorCode": "ServiceUnavailableException"} for keep in kept]
        return {"FailedPutCount": kept.count(False), "RequestResponses": answers}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutRecordBatch")


UNREACHABLE = EndpointConnectionError(endpoint_url="https://firehose")


def publisher(service: Service, folder: Path | None = None, **more: Any) -> tuple[Publisher, list[float]]:
    waits: list[float] = []
    given = {"clock": lambda: 0.0, "sleep": waits.append, "chance": random.Random(1), **more}
    return Publisher(service, "events", folder=folder, **given), waits


def test_only_what_failed_is_sent_again() -> None:
    service = Service(lambda record: record in (b"2", b"4"), lambda record: record == b"4")
    found, waits = publisher(service)
    for number in range(6):
        found.put_bytes(b"%d" % number)
    told = found.flush()
    assert service.requests == [[b"0", b"1", b"2", b"3", b"4", b"5"], [b"2", b"4"], [b"4"]]
    assert told == Published(6, 3, 3, 0) and service.taken == [b"0", b"1", b"3", b"5", b"2", b"4"]
    assert len(waits) == 2 and 0 < waits[0] <= 0.2 and 0 < waits[1] <= 0.4
    assert found.flush() == Published()


def test_what_failed_goes_with_what_is_put_next() -> None:
    service = Service(lambda record: record == b"1")
    found, waits = publisher(service, batch=2)
    for number in range(4):
        found.put_bytes(b"%d" % number)
    assert found.flush() == Published(4, 1, 3, 0)
    assert service.requests == [[b"0", b"1"], [b"1", b"2"], [b"3"]] and waits == []


@pytest.mark.parametrize(
    ("trouble", "taken"),
    [
        (refusal("ServiceUnavailableException"), True),
        (refusal("ThrottlingException"), True),
        (UNREACHABLE, True),
        (refusal("ResourceNotFoundException"), False),
        (refusal("AccessDeniedException"), False),
    ],
)
def test_what_may_pass_is_tried_again(trouble: Exception, taken: bool) -> None:
    service = Service(trouble)
    found, _ = publisher(service)
    found.put_bytes(b"a")
    if taken:
        assert found.flush().sent == 1 and service.taken == [b"a"]
    else:
        with pytest.raises(AccountError, match="PutRecordBatch"):
            found.flush()
        assert len(service.requests) == 1
        assert found.flush().sent == 1, "who mends it goes on"


def test_requests_are_as_large_as_they_may_be() -> None:
    service = Service()
    found, _ = publisher(service)
    for _ in range(501):
        found.put_bytes(b"x")
    for _ in range(5):
        found.put_bytes(b"x" * LARGEST_RECORD)
    found.flush()
    assert [len(records) for records in service.requests] == [500, 5, 1]
    assert max(sum(map(len, records)) for records in service.requests) <= 4 * 1024 * 1024
    with pytest.raises(UsageError, match="1024001 bytes"):
        found.put_bytes(b"x" * (LARGEST_RECORD + 1))


@pytest.mark.parametrize(
    ("every", "requests"),
    [(0.001, [500, 500]), (0.5, [2, 2, 2, 2]), (0.9, [2, 2, 2, 2]), (30.0, [2, 1, 1, 1, 1, 1, 1])],
)
def test_what_nobody_would_follow_in_time_is_not_waited_for(every: float, requests: list[int]) -> None:
    """The first gap is learnt by waiting for it."""
    ticks = iter(range(10**6))
    service = Service()
    found, _ = publisher(service, clock=lambda: next(ticks) * every)
    for _ in range(1000 if every < 0.1 else 8):
        found.put_bytes(b"x")
    assert [len(records) for records in service.requests] == requests


def test_a_document_that_is_too_large_is_split_and_whole_again() -> None:
    service = Service()
    found, _ = publisher(service, split=True)
    large = {"id": "large", "text": '"\\é\N{GRINNING FACE}\x01' * 120_000}
    found.put({"id": "small"})
    found.put(large)
    found.flush()
    records = [json.loads(record) for record in service.taken]
    assert len(records) > 3 and max(map(len, service.taken)) <= LARGEST_RECORD
    assert len({record["id"] for record in records}) == len(records)
    random.Random(1).shuffle(records)
    assert sorted(joined([*records, *records]), key=str) == [large, {"id": "small"}, {"id": "small"}]
    with pytest.raises(LackingParts, match="of large") as caught:
        list(joined([record for record in records if record["id"] != "large/2-4"][:-1]))
    assert caught.value.of == ("large",)
    theirs = [{"mlops_part": 1}, {"mlops_part": {"of": "large"}}]
    assert list(joined(theirs)) == theirs
    whole, _ = publisher(service)
    with pytest.raises(UsageError) as told:
        whole.put(large)
    assert "split" in str(told.value.hint)


def test_documents_have_ids() -> None:
    service = Service()
    found, _ = publisher(service)
    first, second = found.put({"n": 1}), found.put({"n": 2, "id": "mine"})
    found.flush()
    assert [json.loads(record) for record in service.taken] == [{"id": first, "n": 1}, {"n": 2, "id": "mine"}]
    assert second == "mine" and len(first) == 36 and all(record.endswith(b"\n") for record in service.taken)


def test_what_nobody_takes_waits_on_disk_and_goes_first(tmp_path: Path) -> None:
    service = Service(*[UNREACHABLE] * 2)
    found, _ = publisher(service, tmp_path, attempts=2)
    found.put_bytes(b"a")
    told = found.flush()
    assert told.sent == 0 and told.waiting > 0
    # Another one of the folder: the program was started again.
    found, _ = publisher(service, tmp_path, attempts=2)
    found.put_bytes(b"b")
    assert found.flush() == Published(2, 0, 2, 0) and service.taken == [b"a", b"b"]


def test_what_is_refused_for_good_is_kept_too(tmp_path: Path) -> None:
    service = Service(UNREACHABLE, *[refusal("ResourceNotFoundException")] * 2)
    found, _ = publisher(service, tmp_path, attempts=1)
    found.put_bytes(b"a")
    found.flush()
    for name in (b"b", b"c"):
        found.put_bytes(name)
        with pytest.raises(AccountError, match="ResourceNotFoundException"):
            found.flush()
    assert found.flush().sent == 3 and service.taken == [b"a", b"b", b"c"]


def test_a_part_of_what_waits_stays(tmp_path: Path) -> None:
    service = Service(False, lambda record: record == b"b", True)
    found, _ = publisher(service, tmp_path, attempts=1)
    for name in (b"a", b"b", b"c"):
        found.put_bytes(name)
    found.flush()
    assert service.taken == []
    found.flush()
    assert service.taken == [b"a", b"c"]
    assert found.flush() == Published(1, 0, 1, 0) and service.taken == [b"a", b"c", b"b"]


def test_what_waits_and_is_damaged_is_told_and_the_rest_is_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    down = Service(*[False] * 8)
    with Publisher(down, "events", folder=tmp_path, attempts=1, sleep=lambda seconds: None) as publisher:
        for number in range(4):
            publisher.put_bytes(b"record %d" % number)
    (file,) = tmp_path.glob("*.spool")
    held = bytearray(file.read_bytes())
    held[held.index(b"record 1")] ^= 1
    file.write_bytes(held)
    up = Service()
    with Publisher(up, "events", folder=tmp_path) as publisher:
        told = publisher.flush()
    assert up.taken == [b"record 0", b"record 2", b"record 3"] and told.waiting == 0
    assert "1 records of it are lost" in caplog.text and "record 1" not in caplog.text


def test_disk_and_memory_have_bounds(tmp_path: Path) -> None:
    service = Service(*[UNREACHABLE] * 9)
    found, _ = publisher(service, tmp_path, attempts=1, spool_bytes=1000)
    found.put_bytes(b"x" * 600)
    found.flush()
    found.put_bytes(b"y" * 600)
    with pytest.raises(Undelivered, match="1000 bytes wait for it already") as caught:
        found.flush()
    assert caught.value.records == (b"y" * 600,)
    bare, _ = publisher(service, attempts=1)
    bare.put_bytes(b"z")
    with pytest.raises(Undelivered) as raised:
        bare.flush()
    assert raised.value.records == (b"z",)


def test_what_was_put_is_sent_whatever_the_program_raises() -> None:
    service = Service()

    def failing() -> Iterator[None]:
        with publisher(service)[0] as found:
            found.put_bytes(b"a")
            raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        next(failing())
    assert service.taken == [b"a"]


@pytest.mark.parametrize("kept", [True, False])
def test_what_was_put_outlives_an_interruption(tmp_path: Path, kept: bool) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    service = Service(False)
    found, _ = publisher(service, tmp_path if kept else None, sleep=interrupted)
    with pytest.raises(KeyboardInterrupt), found:
        found.put_bytes(b"a")
        found.flush()
    assert service.taken == [b"a"]
