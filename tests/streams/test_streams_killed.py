"""``kill -9`` at every write of whoever puts and of whoever delivers: what was answered with an id arrives.

The killing is done from outside of our code: in a forked process Python's own functions count what they write.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stream_parts import BUCKET, failures, objects, opened, processors, s3, unpacked
from test_http_endpoints import Receiver, sending
from test_opensearch_destination import answering, bulk, into

from mlops.account.local import LocalAccount
from mlops.client import Publisher

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked"),
]

EVERY = 1 if "MLOPS_KILLS" in os.environ else 13
MOST_WRITES = 400
WRITES = ("pwrite", "replace", "rename", "unlink", "rmdir", "mkdir")


def killed_at(number: int, work: Callable[[Callable[[str], None]], None]) -> tuple[list[str], bool]:
    """What ``work`` told before it was killed at that write, and whether it was. Each write is one moment before it and
    one behind it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        try:
            _die_at(number)
            work(lambda text: _tell(theirs, text))
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        lines = told.read().splitlines()
    _, status = os.waitpid(child, 0)
    return lines, os.WIFSIGNALED(status)


def _tell(descriptor: int, text: str) -> None:
    os.write(descriptor, f"{text}\n".encode())


def _die_at(number: int) -> None:
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            count()
            done = function(*args, **kwargs)
            count()
            return done

        return call

    for name in WRITES:
        setattr(os, name, counted(getattr(os, name)))

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *rest: Any) -> Any:
            if statement != "COMMIT":
                return super().execute(statement, *rest)
            count()
            done = super().execute(statement, *rest)
            count()
            return done

    connect = sqlite3.connect
    sqlite3.connect = lambda *rest, **named: connect(*rest, **{"factory": Connection, **named})  # type: ignore[misc,assignment]


@pytest.mark.deeper("streams")
def test_whoever_puts_is_killed_at_every_write(account: LocalAccount) -> None:
    stream = opened(account)
    answered: set[str] = set()
    tried: set[str] = set()
    for number in range(0, MOST_WRITES, EVERY):

        def puts(tell: Callable[[str], None], number: int = number) -> None:
            for batch in range(3):
                records = [f"{number}-{batch}-{index}\n".encode() for index in range(5)]
                for record, told in zip(records, stream.ask(*records)["RequestResponses"], strict=True):
                    assert told["RecordId"]
                    tell(record.decode().strip())

        told, killed = killed_at(number, puts)
        answered |= set(told)
        tried |= {f"{number}-{batch}-{index}" for batch in range(3) for index in range(5)}
        if not killed:
            break
    else:
        raise AssertionError("it writes without end")
    stream.now = int(time.time() * 1000) + 10**9
    stream.restart()
    stream.deliver()
    found = Counter(b"".join(stream.objects().values()).decode().splitlines())
    assert answered <= set(found) <= tried and len(answered) >= 15
    assert set(found.values()) == {1}


DIFFICULT = {
    "DynamicPartitioningConfiguration": {"Enabled": True},
    "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
    "Prefix": "good/!{partitionKeyFromQuery:k}/",
    "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
    "CompressionFormat": "GZIP",
    **processors(("MetadataExtraction", {"MetadataExtractionQuery": "{k: .k}", "JsonParsingEngine": "JQ-1.6"})),
}


@pytest.mark.deeper("streams")
@pytest.mark.parametrize("given", [{}, DIFFICULT], ids=["as they come", "partitions and failures"])
def test_whoever_delivers_is_killed_at_every_write(account: LocalAccount, given: dict[str, Any]) -> None:
    """And whoever goes on in his place writes the same objects: here all arrive once."""
    stream = opened(account, **s3(**given))
    put: list[str] = []
    for number in range(0, MOST_WRITES, EVERY):
        for half in range(2):
            rows = [json.dumps({"id": f"{number}-{half}-{index}", "k": index % 2}) for index in range(4)]
            rows.append(f"no json {number}-{half}")
            put += rows
            stream.put(*(f"{row}\n".encode() for row in rows))

        def delivers(tell: Callable[[str], None]) -> None:
            stream.restart()
            stream.deliver()

        _, killed = killed_at(number, delivers)
        stream.now += 3_600_000
        if not killed:
            break
    else:
        raise AssertionError("it writes without end")
    stream.restart()
    stream.deliver()
    found: list[str] = []
    for key, content in stream.objects().items():
        if key.startswith("bad/"):
            found += [raw(item) for item in failures(content)]
        else:
            found += unpacked(key, content).decode().splitlines()
    assert sorted(found) == sorted(put)
    assert stream.deliverer.idle() and number >= 10, number


@pytest.mark.proof("streams")
def test_whoever_sends_is_killed_at_every_write(account: LocalAccount) -> None:
    """All arrive, and what arrives again has the id that it had."""
    receiver = Receiver()
    stream = sending(account, receiver, S3BackupMode="AllData")
    put: list[str] = []
    for number in range(0, MOST_WRITES, EVERY):
        rows = [f"{number}-{index}" for index in range(4)]
        put += rows
        stream.put(*(row.encode() for row in rows))

        def delivers(tell: Callable[[str], None]) -> None:
            stream.restart()
            stream.deliver()

        _, killed = killed_at(number, delivers)
        stream.now += 3_600_000
        if not killed:
            break
    else:
        raise AssertionError("it writes without end")
    stream.restart()
    stream.deliver()
    by_id: dict[str, list[str]] = {}
    for _, _, body in receiver.requests:
        told = json.loads(body)
        found = [base64.b64decode(item["data"]).decode() for item in told["records"]]
        assert by_id.setdefault(told["requestId"], found) == found
    assert sorted(row for found in by_id.values() for row in found) == sorted(put)
    assert len(by_id) < len(receiver.requests)
    backed_up = b"".join(stream.objects().values()).decode()
    assert all(row in backed_up for row in put)
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.mark.proof("streams")
def test_whoever_tells_documents_is_killed_at_every_write(account: LocalAccount) -> None:
    """All are there, and what is told again has the id that it had: the cluster has each once."""
    cluster = Receiver()
    cluster.read = bulk
    stream = into(account, cluster)
    cluster.script = [answering((201, None))]
    put: list[str] = []
    for number in range(0, MOST_WRITES, EVERY):
        rows = [json.dumps({"row": f"{number}-{index}"}) for index in range(3)]
        put += rows
        stream.put(*(row.encode() for row in rows))

        def delivers(tell: Callable[[str], None]) -> None:
            stream.restart()
            stream.deliver()

        _, killed = killed_at(number, delivers)
        stream.now += 3_600_000
        if not killed:
            break
    else:
        raise AssertionError("it writes without end")
    stream.restart()
    stream.deliver()
    by_id: dict[str, str] = {}
    for _, _, body in cluster.requests:
        for told, line in bulk(body):
            assert by_id.setdefault(told["_id"], line.decode()) == line.decode()
    assert sorted(by_id.values()) == sorted(put) and stream.objects() == {} and number >= 4
    cluster.server.shutdown()
    cluster.server.server_close()


def raw(item: dict[str, Any]) -> str:
    return base64.b64decode(item["rawData"]).decode().strip()


def deliverers(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except (OSError, NotADirectoryError):
            continue
        if "mlops.account.local.process.runner" in words and str(folder) in words and "stream" in words:
            found.append(int(entry.name))
    return found


@pytest.mark.proof("streams")
def test_all_arrive_once_though_requests_fail_and_processes_are_killed(account: LocalAccount, tmp_path: Path) -> None:
    """A hundred thousand records of which each is refused once in twenty times."""
    account.ensure_bucket(BUCKET)
    client = account.client("firehose")
    client.create_delivery_stream(
        DeliveryStreamName="events",
        **s3(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 1}, CompressionFormat="GZIP"),
        Tags=[{"Key": "mlops:fail-share", "Value": "0.05"}],
    )
    put, count, kills, largest = list[str](), 100_000, 0, 0
    with Publisher(client, "events", folder=tmp_path / "unsent") as publisher:
        for number in range(count):
            put.append(publisher.put({"number": number, "more": "x" * 60}))
            if number % 9_000 == 8_999:
                for process in deliverers(account.state.folder):
                    largest = max(largest, peak(process))
                    os.kill(process, signal.SIGKILL)
                    kills += 1
        told = publisher.flush()
    assert (told.sent, told.waiting) == (count, 0) and told.again > 0.03 * count
    seen: Counter[str] = Counter()
    known: set[str] = set()
    waited = time.monotonic()
    while len(seen) < count and time.monotonic() - waited < 60:
        client.list_delivery_streams()  # who asks finds out that a process is gone
        for key, content in objects(account):
            if key not in known:
                known.add(key)
                seen.update(json.loads(line)["id"] for line in unpacked(key, content).splitlines())
        time.sleep(0.2)
    assert set(seen) == set(put) and kills > 3
    for process in deliverers(account.state.folder):
        largest = max(largest, peak(process))
    assert 0 < largest < 200 * 1024


def peak(process: int) -> int:
    """Of the memory that it had, in KiB."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


@pytest.mark.proof("streams")
def test_zero_buffering_shows_within_five_seconds(account: LocalAccount) -> None:
    account.ensure_bucket(BUCKET)
    client = account.client("firehose")
    client.create_delivery_stream(
        DeliveryStreamName="events", **s3(BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 0})
    )
    took = []
    for number in range(3):
        put = time.monotonic()
        client.put_record(DeliveryStreamName="events", Record={"Data": b"%d" % number})
        while len(dict(objects(account))) <= number:
            assert time.monotonic() - put < 120
            time.sleep(0.02)
        took.append(time.monotonic() - put)
    assert min(took) < 5
    client.delete_delivery_stream(DeliveryStreamName="events")
