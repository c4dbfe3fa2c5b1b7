"""``mlops streams``: what is put arrives, and what failed comes back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from stream_parts import BUCKET, FUNCTION, Stream, failures, processors, s3

from mlops.account.delivery import Flow
from mlops.account.local import LocalAccount
from mlops.cli import cli
from mlops.deploy.streams.tuning import tuned
from mlops.ir import UsageError
from mlops.project.spool import BEGINNING, Place


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream:
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    account = LocalAccount(tmp_path / ".mlops", "eu-west-1")
    account.ensure_bucket(BUCKET)
    given = s3(Prefix="good/", **processors(("Lambda", {"LambdaArn": FUNCTION})))
    account.client("firehose").create_delivery_stream(DeliveryStreamName="events", **given)
    return Stream(account, "events")


def mlops(*words: str, typed: str | None = None) -> Any:
    told = CliRunner().invoke(cli, ["streams", *words], input=typed, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return json.loads(told.output) if "json" in words else told.output


def poisoned(stream: Stream) -> None:
    """One record fails until the function is mended."""

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        results = ["ProcessingFailed" if record["data"] == "Yg==" else "Ok" for record in event["records"]]
        told = zip(event["records"], results, strict=True)
        return {"records": [{**record, "result": result} for record, result in told]}

    stream.ports = {"invoke": invoke}
    stream.restart()


def test_a_poisoned_record_comes_back_by_replay(stream: Stream) -> None:
    poisoned(stream)
    stream.put(b"a", b"b", b"c")
    stream.deliver()
    assert mlops("replay", "events", "--dry-run", "--format", "json") == {"objects": 1, "records": 1, "removed": False}
    shown = mlops("show", "events", "--format", "json")
    assert (shown["delivered"], shown["failed"], shown["waiting_bytes"], shown["trouble"]) == (2, 1, 0, None)
    # Mended.
    stream.ports = {
        "invoke": lambda arn, event: {"records": [{**record, "result": "Ok"} for record in event["records"]]}
    }
    stream.restart()
    assert "1 records of 1 objects" in mlops("replay", "events")
    assert mlops("replay", "events", "--format", "json") == {"objects": 0, "records": 0, "removed": True}
    stream.now += 10**13
    stream.deliver()
    assert sorted(stream.objects().values()) == [b"ac", b"b"]


def test_a_part_comes_back_and_the_rest_stays(stream: Stream) -> None:
    """By time, by key, by id: an object holds afterwards what was not put."""
    rows = [
        (1_531_177_505_000 + number * 60_000, raw)
        for number in range(3)
        for raw in (b"no json %d" % number, b'{"id": "c-%d"}' % number)
    ]
    body = b"".join(
        json.dumps({"arrivalTimestamp": at, "rawData": base64.b64encode(raw).decode()}).encode() + b"\n"
        for at, raw in rows
    )
    stamp = "events-1-2018-07-09-23-05-05-x"
    first, second = f"good/processing-failed/2018/{stamp}", f"good/processing-failed/other/{stamp}"
    for key in (first, second):
        stream.account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    only = ("replay", "events", "--prefix", "good/processing-failed/other", "--format", "json")
    assert mlops("replay", "events", "--record", "c-1", "--dry-run", "--format", "json")["records"] == 2
    assert mlops(*only, "--record", "c-1") == {"objects": 1, "records": 1, "removed": True}
    assert mlops(*only, "--record", "c-1") == {"objects": 0, "records": 0, "removed": True}
    assert mlops(*only, "--since", "2018-07-09T23:06:05Z", "--until", "2018-07-09T23:07:05Z")["records"] == 1
    left = [base64.b64decode(item["rawData"]) for item in failures(stream.objects()[second])]
    assert left == [raw for _, raw in (*rows[:2], *rows[4:])]
    assert mlops(*only)["records"] == 4
    assert stream.objects("good/") == {first: body}
    put = [record for _, records in stream.deliverer.spool.read(BEGINNING, Place(9, 9)) for record in records]
    assert sorted(put) == sorted(raw for _, raw in rows)
    with pytest.raises(UsageError, match="--since 'soon' is no time"):
        mlops("replay", "events", "--since", "soon")


def test_what_happened_goes_into_a_stream(stream: Stream) -> None:
    """With the same id each time, so that a reader has it once; and nothing of what was not asked for."""
    words = ("put", "events", "--events", "--kind", "stream", "--format", "json")
    first = mlops(*words)
    assert first["sent"] == 1 and mlops(*words, "--since", "2100-01-01T00:00:00Z")["sent"] == 0
    assert mlops("put", "events", "--events", "--kind", "endpoint", "--format", "json")["sent"] == 0
    assert mlops(*words)["sent"] == 1
    spool = stream.deliverer.spool
    put = [json.loads(row) for _, rows in spool.read(BEGINNING, Place(9, 0)) for row in rows]
    assert [item["kind"] for item in put] == ["stream.created", "stream.created"]
    assert len({item["id"] for item in put}) == 1 and len(put[0]["id"]) == 40


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ((), {"records in a request": "500", "lines in a record": "51", "seconds of a buffer": "300"}),
        (("--delay", "2"), {"seconds of a buffer": "0", "MiB of a buffer": "1", "compression": "GZIP"}),
        (("--rate", "1", "--bytes", "6000"), {"records in a request": "1", "MiB of a buffer": "3"}),
        (("--tolerance", "20"), {"records in a request": "20", "linger_seconds": "1", "attempts": "8"}),
        (("--rate", "0.1", "--bytes", "60", "--delay", "3"), {"linger_seconds": "0", "attempts": "5"}),
        (("--rate", "50000", "--bytes", "1000", "--delay", "60"), {"MiB of a buffer": "128", "lines in a record": "5"}),
    ],
)
def test_what_a_stream_would_be_set_to_follows_from_what_is_put(
    stream: Stream, words: tuple[str, ...], then: dict[str, str]
) -> None:
    for _ in range(20):
        stream.put(*[b'{"user": "ada"}' + b" " * 85] * 500)
        stream.now += 500
    told = mlops("tune", "events", *words, "--format", "json")
    found = {item["setting"]: item["then"] for item in told["settings"]}
    assert {name: found.get(name) for name in then} == then
    if not words:
        assert (told["records"], told["records_per_second"]) == (10_000, 1052.632)
        assert told["billed_times"] == 51.2 and told["dollars_per_gb"] == [1.4848, 0.0291]
        assert "lines in a record" in mlops("tune", "events")
    else:
        assert ("lines in a record" in found) is ("6000" not in words) and told["measured"] == []


@pytest.mark.parametrize(
    ("kind", "flow", "setting", "then"),
    [
        ("Splunk", Flow(100, 10_000, 10.0, 10), "seconds of a buffer", "60"),
        ("HttpEndpoint", Flow(100, 10_000, 10.0, 10), "seconds of a buffer", "300"),
        ("ExtendedS3", Flow(100, 0, 10.0, 10), "lines in a record", "5120"),
    ],
)
def test_what_is_suggested_is_within_the_limits(kind: str, flow: Flow, setting: str, then: str) -> None:
    found = {item.setting: item.then for item in tuned({}, kind, flow, 300).suggestions}
    assert found[setting] == then


def test_what_the_size_of_a_request_does_is_measured(stream: Stream) -> None:
    """In a stream that is made for it: nothing is put into this one."""
    words = ("tune", "events", "--rate", "5", "--bytes", "9000", "--measure", "--failing", "0.3")
    found = {item["records_in_a_request"]: item for item in mlops(*words, "--format", "json")["measured"]}
    assert list(found) == [1, 10, 50, 100, 250]
    assert all(item["records_per_second"] > 0 and item["milliseconds"] > 0 for item in found.values())
    assert found[1]["requests"] > found[250]["requests"] and 0.1 < found[250]["again"] / found[250]["records"] < 0.9
    assert stream.deliverer.idle()
    assert [name for name in mlops("list").split() if name == "measured"] == []
    with pytest.raises(SystemExit):
        cli.main(["streams", "tune", "events", "--failing", "0.3"])


def test_nothing_is_suggested_of_what_is_not_known(stream: Stream) -> None:
    with pytest.raises(UsageError, match="nothing was put into events of late"):
        mlops("tune", "events")
    with pytest.raises(UsageError, match="give --rate and --bytes, or neither"):
        mlops("tune", "events", "--rate", "5")
    for rate, size in (("nan", "5"), ("5", "nan"), ("inf", "5"), ("1e308", "5")):
        with pytest.raises(UsageError, match="no number of bytes"):
            mlops("tune", "events", "--rate", rate, "--bytes", size)


def test_lines_are_records(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"one\ntwo\nthree")
    told = mlops("put", "events", "lines", "--format", "json")
    assert told == {"sent": 3, "again": 0, "requests": 1}
    assert "1 record in 1 requests" in mlops("put", "events", typed="four\n")
    found = [records for _, records in stream.deliverer.spool.read(stream.deliverer.stands.place, (9, 9))]  # type: ignore[arg-type]
    assert found == [[b"one\n", b"two\n", b"three"], [b"four\n"]]


def test_streams_are_listed_and_shown(stream: Stream) -> None:
    stream.put(b"a" * 5)
    (listed,) = mlops("list", "--format", "json")
    assert (listed["name"], listed["to"], listed["destination"]) == ("events", f"s3://{BUCKET}/good/", "S3")
    assert "events" in mlops("list") and "37 bytes" in mlops("list")
    assert f"what fails: s3://{BUCKET}/good/…failed/" in mlops("show", "events")
    with pytest.raises(UsageError, match="there is no stream event") as told:
        mlops("show", "event")
    assert told.value.hint == "there are events"


def test_what_is_no_failure_is_not_put(stream: Stream) -> None:
    key = "good/processing-failed/2026/events-1-2026-11-28-10-00-00-x"
    stream.account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"rawData": "?"}')
    with pytest.raises(UsageError, match=f"{key}, line 1 is no record that failed"):
        mlops("replay", "events")
    assert stream.deliverer.idle() and key in stream.objects()


def test_what_failed_of_a_stream_with_a_longer_name_is_its_own(stream: Stream) -> None:
    key = "good/processing-failed/2026/events-eu-1-2026-11-28-10-00-00-x"
    stream.account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"rawData": "YQ=="}')
    assert mlops("replay", "events", "--format", "json")["objects"] == 0
    assert stream.deliverer.idle() and key in stream.objects()
