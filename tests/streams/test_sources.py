"""What feeds a stream by itself: subscriptions to logs, and rules of EventBridge. The clock is turned by hand."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stream_parts import ROLE, Stream, opened, processors, s3

from mlops.account.local import LocalAccount
from mlops.account.local.process.clock.tickers import log_subscriptions
from mlops.account.local.process.clock.ticking import Clock
from mlops.account.local.services.firehose import records
from mlops.account.local.services.logs import subscriptions

GROUP = "/aws/sagemaker/ProcessingJobs"
MESSAGES = processors(
    ("Decompression", {"CompressionFormat": "GZIP"}), ("CloudWatchLogProcessing", {"DataMessageExtraction": "true"})
)
ARN = "arn:aws:firehose:eu-west-1:000000000000:deliverystream"


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_CLOCK", "off")


def job(account: LocalAccount, folder: Path, name: str = "work") -> Path:
    """The log of a step that runs."""
    account.state.store.write(
        "INSERT INTO step (execution, name, attempt, type, status, started, log, job, metadata, response) "
        "VALUES (?, 'Work', 1, 'Processing', 'Executing', ?, ?, ?, '{}', '{}')",
        name,
        "2026-01-01T00:00:00.000000+00:00",
        str(folder / f"{name}.txt"),
        f"ProcessingJob/{name}",
    )
    return folder / f"{name}.txt"


def write(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def subscribe(account: LocalAccount, stream: str = "events", pattern: str = "", name: str = "all") -> None:
    account.client("logs").put_subscription_filter(
        logGroupName=GROUP, filterName=name, filterPattern=pattern, destinationArn=f"{ARN}/{stream}", roleArn=ROLE
    )


def turn(account: LocalAccount) -> datetime | None:
    return log_subscriptions.TICKER.tick(account.state, datetime.now(UTC))


def written(stream: Stream) -> bytes:
    stream.now = int(datetime.now(UTC).timestamp() * 1000)
    stream.deliver()
    return b"".join(content for key, content in stream.objects().items() if f"/{stream.name}-" in key)


def test_lines_that_are_written_come_whole_and_once(account: LocalAccount, tmp_path: Path) -> None:
    stream = opened(account, **s3(**MESSAGES))
    log = job(account, tmp_path)
    write(log, "before\n")
    subscribe(account)
    write(log, "first\nsec")
    assert turn(account) is not None and turn(account) is not None
    write(log, "ond\n")
    later = job(account, tmp_path, "later")
    write(later, "third\n")
    turn(account)
    assert sorted(written(stream).splitlines()) == [b"first", b"second", b"third"]


def test_a_log_that_grows_faster_than_it_is_read_keeps_the_clock_from_nothing(
    account: LocalAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_PAGES", 2)
    monkeypatch.setattr(subscriptions, "_LINES", 10)
    stream = opened(account, **s3(**MESSAGES))
    log = job(account, tmp_path)
    subscribe(account)
    write(log, "".join(f"{number}\n" for number in range(45)))
    account.state.store.write("UPDATE step SET ended = '2026-01-01T00:00:01.000000+00:00'")
    assert [turn(account) is not None for _ in range(3)] == [True, True, False]
    assert written(stream).split() == [b"%d" % number for number in range(45)]


def envelopes(content: bytes) -> list[dict[str, Any]]:
    """Members of GZIP stand behind one another, as what was put."""
    return [json.loads(line) for line in gzip.decompress(content).replace(b"}{", b"}\n{").splitlines()]


def test_an_envelope_is_the_services_and_what_comes_twice_has_the_same_ids(
    account: LocalAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = opened(account)
    log = job(account, tmp_path)
    subscribe(account, pattern='"out of memory" rank')
    write(log, "rank 0 is out of memory\nrank 1 is well\n" + "rank out of memory " + "x" * 300_000 + "\n")
    with monkeypatch.context() as killed:
        killed.setattr(subscriptions, "_note", lambda *_: None)
        turn(account)
    turn(account)
    control, first, again = envelopes(written(stream))
    assert (control["messageType"], control["owner"]) == ("CONTROL_MESSAGE", "CloudwatchLogs")
    assert first == again
    lines = [event["message"] for event in first["logEvents"]]
    assert (lines[0], len(lines), len(lines[1])) == ("rank 0 is out of memory", 2, 256 * 1024)
    assert all(event["id"].isdigit() and len(event["id"]) == 56 for event in first["logEvents"])
    told = {name: first[name] for name in ("messageType", "owner", "logGroup", "subscriptionFilters")}
    assert told == {
        "messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": GROUP, "subscriptionFilters": ["all"]
    }  # fmt: skip


def test_a_stream_that_takes_nothing_is_told_once_and_keeps_no_other_from_its_lines(
    account: LocalAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, full = opened(account, **s3(**MESSAGES)), opened(account, "full")
    log = job(account, tmp_path)
    subscribe(account, "full", name="a")
    subscribe(account, name="b")
    write(log, "first\n")
    put = records.put_record

    def refusing(state: Any, request: Any) -> Any:
        if request["DeliveryStreamName"] == "full":
            raise records.Refusal("ServiceUnavailableException", "Slow down.", 503)
        return put(state, request)

    with monkeypatch.context() as broken:
        broken.setattr(records, "put_record", refusing)
        turn(account)
        turn(account)
    (event,) = account.events.read(kinds=["stream.unfed"])
    assert event.ids == {"stream": "full"} and "Slow down." in str(event.detail["reason"])
    turn(account)
    assert written(stream) == b"first\n"
    assert [item["messageType"] for item in envelopes(written(full))] == ["CONTROL_MESSAGE", "DATA_MESSAGE"]


def test_a_subscription_is_judged_when_it_is_made_and_gone_when_it_is_removed(
    account: LocalAccount, tmp_path: Path
) -> None:
    stream, client = opened(account), account.client("logs")
    with pytest.raises(ClientError, match="Could not deliver test message"):
        subscribe(account, "other")
    for name in ("a", "b", "b"):
        subscribe(account, name=name)
    with pytest.raises(ClientError, match="Resource limit exceeded"):
        subscribe(account, name="c")
    listed = client.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert [item["filterName"] for item in listed] == ["a", "b"] and listed[0]["destinationArn"] == f"{ARN}/events"
    for name in ("a", "b"):
        client.delete_subscription_filter(logGroupName=GROUP, filterName=name)
    with pytest.raises(ClientError, match="does not exist"):
        client.delete_subscription_filter(logGroupName=GROUP, filterName="a")
    assert not log_subscriptions.TICKER.wanted(account.state) and turn(account) is None
    assert len(envelopes(written(stream))) == 3


def test_a_group_may_be_subscribed_to_before_what_writes_it_is_there(account: LocalAccount) -> None:
    """As an upsert makes both, and another group is none."""
    opened(account)
    client, group = account.client("logs"), "/aws/sagemaker/Endpoints/later"
    for name, code in ((group, "ResourceAlreadyExists"), ("/acme/app", "ResourceNotFound")):
        with pytest.raises(ClientError, match=code):
            client.create_log_group(logGroupName=name)
    client.put_subscription_filter(
        logGroupName=group, filterName="a", filterPattern="", destinationArn=f"{ARN}/events", roleArn=ROLE
    )
    assert turn(account) is None and len(client.describe_subscription_filters(logGroupName=group)) > 0


def test_what_a_rule_matches_becomes_a_record(account: LocalAccount) -> None:
    stream, client = opened(account), account.client("events")
    client.put_rule(
        Name="calls", EventPattern=json.dumps({"source": ["acme"], "detail": {"n": [{"numeric": [">", 1]}]}})
    )
    client.put_targets(Rule="calls", Targets=[{"Id": "a", "Arn": f"{ARN}/events", "RoleArn": ROLE}])
    entries = [{"Source": "acme", "DetailType": "Told", "Detail": json.dumps({"n": n})} for n in (1, 2)]
    client.put_events(Entries=entries)
    Clock(account.state).turn()
    event = json.loads(written(stream))
    assert (event["detail-type"], event["detail"]) == ("Told", {"n": 2})
    (made,) = account.events.read(kinds=["delivery.made"])
    assert made.ids["stream"] == "events"
    client.put_targets(Rule="calls", Targets=[{"Id": "a", "Arn": f"{ARN}/gone", "RoleArn": ROLE}])
    client.put_events(Entries=entries)
    Clock(account.state).turn()
    (failed,) = account.events.read(kinds=["delivery.failed"])
    assert "Firehose gone" in str(failed.detail["reason"])
