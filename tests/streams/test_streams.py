"""Streams of the local account: what is accepted and what is refused, when it is delivered, and how it is named."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stream_parts import ARN, BUCKET, ROLE, Stream, objects, opened, processors, s3, unpacked

from mlops.account.local import LocalAccount
from mlops.account.local.process.delivering import steady
from mlops.account.local.services.firehose import streams
from mlops.knowledge.streams import names
from mlops.project.spool import BEGINNING, Spool

RECORD = 1000 * 1024


def refused(call: Any, *values: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*values, **given)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.parametrize(
    ("sizes", "code", "says"),
    [
        ([1] * 501, "ValidationException", "at 'Records' failed to satisfy constraint: Member must have length less"),
        ([1] * 500, None, ""),
        ([1, RECORD + 1], "ValidationException", "'Records.2.member.Data' failed to satisfy constraint: Member must"),
        ([RECORD], None, ""),
        ([RECORD] * 4 + [4 * 1024 * 1024 - 4 * RECORD + 1], "InvalidArgumentException", "Records size exceeds 4 MB"),
        ([RECORD] * 4 + [4 * 1024 * 1024 - 4 * RECORD], None, ""),
    ],
)
def test_a_batch_is_taken_or_refused_whole(shared: LocalAccount, sizes: list[int], code: str | None, says: str) -> None:
    stream = opened(shared, f"batch-{sum(sizes)}-{len(sizes)}")
    records = [b"x" * size for size in sizes]
    if code is None:
        assert all("RecordId" in item for item in stream.ask(*records)["RequestResponses"])
    else:
        found = refused(stream.ask, *records)
        assert found[0] == code and says in found[1]
    assert stream.deliverer.idle() is (code is not None)


def test_a_single_record_has_the_same_bound(account: LocalAccount) -> None:
    opened(account)
    client = account.client("firehose")
    code, says = refused(client.put_record, DeliveryStreamName="events", Record={"Data": b"x" * (RECORD + 1)})
    assert (code, "'Record.Data'" in says) == ("ValidationException", True)
    assert (
        refused(client.put_record, DeliveryStreamName="other", Record={"Data": b""})[0] == "ResourceNotFoundException"
    )


PARTITIONED = {"DynamicPartitioningConfiguration": {"Enabled": True}}
KEYED = ("MetadataExtraction", {"MetadataExtractionQuery": "{k:.k}", "JsonParsingEngine": "JQ-1.6"})
LARGE = {"BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60}}


def http(url: str = "https://127.0.0.1:9/", **more: Any) -> dict[str, Any]:
    return {
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": url},
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN},
            **more,
        }
    }


def partitioned(**more: Any) -> dict[str, Any]:
    prefixes = {"Prefix": "!{partitionKeyFromQuery:k}/", "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/"}
    return s3(**{**PARTITIONED, **LARGE, **prefixes, **processors(KEYED), **more})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (s3(), None),
        ({}, "Exactly one destination"),
        ({**s3(), **http()}, "Exactly one destination"),
        ({"SplunkDestinationConfiguration": {
            "HECEndpoint": "https://a", "HECEndpointType": "Raw", "HECToken": "t",
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN},
        }}, "and not to Splunk"),
        ({**s3(), "DeliveryStreamType": "MSKAsSource"}, "it reads no MSKAsSource"),
        (s3(Prefix="a/!{timestamp:yyyy}/"), "ErrorOutputPrefix cannot be null or empty"),
        (s3(Prefix="a/!{timestamp:yyyy}/", ErrorOutputPrefix="bad/"), None),
        (s3(ErrorOutputPrefix="bad/!{timestamp:yyyy}/"), "must contain !{firehose:error-output-type}"),
        (s3(Prefix="!{timestamp:qq}", ErrorOutputPrefix="b/"), "the letters 'qq'"),
        (s3(Prefix="!{timestamp:yyyy", ErrorOutputPrefix="b/"), "Malformed expression"),
        (s3(Prefix="!{secret:x}", ErrorOutputPrefix="b/"), "Unknown expression !{secret:x}"),
        (s3(Prefix="!{firehose:error-output-type}/", ErrorOutputPrefix="b/"), "Prefix cannot contain"),
        (s3(Prefix="!{partitionKeyFromQuery:k}/", ErrorOutputPrefix="b/"), "dynamic partitioning is not enabled"),
        (s3(Prefix="a" * 500 + "/"), "longer than 512 characters"),
        (s3(Prefix="a" * 470 + "/"), None),
        (s3(ErrorOutputPrefix="a" * 500 + "/"), "longer than 512 characters"),
        (s3(BufferingHints={"SizeInMBs": 5}), "must be specified together"),
        (s3(BufferingHints={"SizeInMBs": 129, "IntervalInSeconds": 1}), "less than or equal to 128"),
        (s3(CompressionFormat="Snappy"), "it has no Snappy"),
        (s3(CustomTimeZone="Europe/Nowhere"), "CustomTimeZone Europe/Nowhere is not known"),
        (s3(S3BackupMode="Enabled"), "S3BackupConfiguration must be specified"),
        (partitioned(), None),
        (partitioned(BufferingHints={"SizeInMBs": 63, "IntervalInSeconds": 60}), "must be at least 64"),
        (partitioned(BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 0}), "Zero buffering is not available"),
        (partitioned(Prefix="a/"), "must contain expressions of partition keys"),
        (partitioned(**processors()), "MetadataExtraction or Lambda"),
        (partitioned(ErrorOutputPrefix="b/!{partitionKeyFromQuery:k}/"), "ErrorOutputPrefix cannot contain"),
        (partitioned(**processors((KEYED[0], {"MetadataExtractionQuery": "{k:", "JsonParsingEngine": "JQ-1.6"}))),
         "is no query of jq"),
        (s3(**processors(KEYED)), "when Dynamic Partitioning is enabled"),
        (s3(**processors(("Lambda", {}))), "needs the parameter LambdaArn"),
        (s3(**processors(("RecordDeAggregation", {"SubRecordType": "XML"}))), "must be JSON or DELIMITED"),
        (s3(**processors(("RecordDeAggregation", {"SubRecordType": "DELIMITED"}))), "Delimiter must be specified"),
        (s3(**processors(("RecordDeAggregation", {"SubRecordType": "DELIMITED", "Delimiter": "#|"}))), "in base64"),
        (s3(**processors(("Lambda", {"LambdaArn": "a", "NumberOfRetries": "many"}))), "from 0 to 300"),
        (s3(**processors(("Lambda", {"LambdaArn": "a", "NumberOfRetries": "1.5"}))), "a whole number from 0 to 300"),
        (s3(**processors(("Lambda", {"LambdaArn": "a", "BufferSizeInMBs": "4"}))), "from 0.2 to 3"),
        (http(), None),
        (http("https://collector.example.org/in"), "sends nothing to collector.example.org"),
        ({**http("https://collector.example.org/in"),
          "Tags": [{"Key": "mlops:deliver-to", "Value": "http://127.0.0.1:8080/in"}]}, None),
        ({**http(), "Tags": [{"Key": "mlops:deliver-to", "Value": "http://example.org/"}]}, "an address of this"),
        (http("http://127.0.0.1/"), "satisfy regular expression pattern: https"),
        ({**s3(), "Tags": [{"Key": "mlops:fail-share", "Value": "2"}]}, "a number from 0 to 1"),
    ],
)  # fmt: skip
def test_what_could_never_be_delivered_is_not_made(
    shared: LocalAccount, given: dict[str, Any], says: str | None
) -> None:
    client = shared.client("firehose")
    if says is None:
        client.create_delivery_stream(DeliveryStreamName="judged", **given)
    else:
        assert says in refused(client.create_delivery_stream, DeliveryStreamName="judged", **given)[1]
    made = "judged" in client.list_delivery_streams(Limit=100)["DeliveryStreamNames"]
    assert made is (says is None)
    if made:
        client.delete_delivery_stream(DeliveryStreamName="judged")


def test_a_buffer_goes_when_it_is_large_or_old_enough(account: LocalAccount) -> None:
    stream = opened(account, **s3(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60}))
    assert stream.turn() is None
    stream.put(b"a")
    assert stream.turn() == 60.0 and stream.turn(59.0) == 1.0 and not stream.objects()
    stream.turn(1.0)
    assert list(stream.objects().values()) == [b"a"]
    stream.put(b"b" * 1_000_000)
    assert stream.turn() == 60.0
    stream.put(b"c" * 100_000, b"d" * 1_000_000)
    assert stream.turn() == 0.0
    assert sorted(map(len, stream.objects().values())) == [1, 2_100_000]
    assert stream.turn() is None and stream.deliverer.idle()


def test_zero_buffering_delivers_at_once(account: LocalAccount) -> None:
    stream = opened(account, **s3(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0}))
    stream.put(b"a")
    wait = stream.turn()
    assert wait is not None and 0 < wait <= 5
    stream.turn(wait)
    assert list(stream.objects().values()) == [b"a"]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, r"DATE/STAMP"),
        ({"Prefix": "logs/"}, r"logs/DATE/STAMP"),
        ({"Prefix": "logs/", "CompressionFormat": "GZIP"}, r"logs/DATE/STAMP\.gz"),
        ({"CompressionFormat": "ZIP"}, r"DATE/STAMP\.zip"),
        ({"CompressionFormat": "GZIP", "FileExtension": ".json"}, r"DATE/STAMP\.json"),
        ({"Prefix": "y=!{timestamp:yyyy}/!{firehose:random-string}/", "ErrorOutputPrefix": "e/"},
         r"y=2018/[A-Za-z0-9]{11}/STAMP"),
    ],
)  # fmt: skip
def test_objects_are_named_as_the_service_names_them(account: LocalAccount, given: dict[str, Any], key: str) -> None:
    stream = opened(account, **s3(**given))
    stream.put(b"one\n", b"two\n")
    stream.deliver()
    ((found, content),) = stream.objects().items()
    stamp = r"events-1-2018-07-09-23-04-05-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    assert re.fullmatch(key.replace("DATE", "2018/07/09/23").replace("STAMP", stamp), found)
    if not found.endswith(".json"):
        assert unpacked(found, content) == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("yyyy/MM/dd/HH", "2018/07/09/23"),
        ("yy-M-d H:m:s.SSS", "18-7-9 23:4:5.006"),
        ("'day='DDD'/'EEE", "day=190/Mon"),
        ("hh a", "11 PM"),
        ("''yyyy", "'2018"),
        ("YYYY", "2018"),
    ],
)
def test_timestamps_are_written_by_patterns(pattern: str, says: str) -> None:
    assert names.formatted(pattern, datetime(2018, 7, 9, 23, 4, 5, 6000, UTC)) == says


def test_times_are_of_the_zone_that_is_asked_for(account: LocalAccount) -> None:
    stream = opened(account, **s3(CustomTimeZone="Asia/Tokyo", Prefix="!{timestamp:HH}/", ErrorOutputPrefix="e/"))
    stream.put(b"a")  # at 23:04 UTC
    stream.deliver()
    assert [key.partition("/")[0] for key in stream.objects()] == ["08"]


def test_an_update_counts_the_version_and_keeps_what_it_does_not_name(account: LocalAccount) -> None:
    stream = opened(account, **s3(Prefix="a/", CompressionFormat="GZIP"))
    client = account.client("firehose")
    asked = {
        "DeliveryStreamName": "events",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {"Prefix": "b/"},
    }
    assert refused(client.update_destination, CurrentDeliveryStreamVersionId="7", **asked)[0] == (
        "ConcurrentModificationException"
    )
    client.update_destination(CurrentDeliveryStreamVersionId="1", **asked)
    told = client.describe_delivery_stream(DeliveryStreamName="events")["DeliveryStreamDescription"]
    found = told["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (told["VersionId"], found["Prefix"], found["CompressionFormat"]) == ("2", "b/", "GZIP")
    stream.put(b"x")
    stream.deliver()
    assert re.match(r"b/.*/events-2-.*\.gz$", next(iter(stream.objects())))
    wrong = {**asked, "ExtendedS3DestinationUpdate": {"Prefix": "!{timestamp:yyyy}"}}
    assert "ErrorOutputPrefix" in refused(client.update_destination, CurrentDeliveryStreamVersionId="2", **wrong)[1]


def test_what_waits_is_bounded_by_no_memory_and_goes_in_order(account: LocalAccount) -> None:
    stream = opened(account, **s3(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60}))
    for number in range(20):
        stream.put(*(b"%02d" % number + b"x" * 99_998 for _ in range(10)))
    stream.deliver()
    found = b"".join(content for _, content in sorted(stream.objects().items(), key=lambda item: item[1][:2]))
    assert [found[at : at + 2] for at in range(0, len(found), 100_000)] == [b"%02d" % (n // 10) for n in range(200)]
    # Files that were delivered are gone but for the newest.
    assert len(list(stream.deliverer.spool._folder.glob("*.spool"))) == 1


def test_a_bucket_that_is_not_there_is_waited_for(account: LocalAccount) -> None:
    stream = opened(account)
    account.client("s3").delete_bucket(Bucket=BUCKET)
    stream.put(b"a")
    assert stream.turn(300.0) and "S3.NoSuchBucket" in stream.deliverer.stands.told
    account.ensure_bucket(BUCKET)
    stream.turn(120.0)
    assert list(stream.objects().values()) == [b"a"] and stream.deliverer.stands.told == ""


def test_after_a_day_the_service_lets_go(account: LocalAccount) -> None:
    stream = opened(account)
    account.client("s3").delete_bucket(Bucket=BUCKET)
    stream.put(b"a")
    stream.turn(300.0)
    stream.turn(86_401.0)
    assert stream.deliverer.idle()
    kinds = [event.kind for event in account.events.read(ids={"stream": "events"})]
    assert kinds == ["stream.created", "stream.unwritten", "stream.lost"]


def test_whoever_takes_over_a_day_later_tries_for_a_day(account: LocalAccount) -> None:
    """The clock was set meanwhile, or it was a day: nobody tried."""
    stream = opened(account)
    account.client("s3").delete_bucket(Bucket=BUCKET)
    stream.put(b"a")
    stream.turn(300.0)
    stream.restart()
    stream.turn(2 * 86_400.0)
    assert not stream.deliverer.idle()
    stream.turn(86_401.0)
    assert stream.deliverer.idle()


@pytest.mark.parametrize("ahead", [0, 3600, -3600])
def test_a_clock_that_was_set_delays_nothing(account: LocalAccount, ahead: int) -> None:
    """Whoever put had another time than whoever delivers."""
    stream = opened(account, **s3(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60}))
    stream.now += ahead * 1000
    stream.put(b"a")
    stream.now -= ahead * 1000
    stream.turn()
    stream.turn(60.0)
    assert list(stream.objects().values()) == [b"a"]


def test_the_deliverers_own_clock_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    now, real = steady(), time.time
    begun = now()
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)
    assert 0 <= now() - begun < 60_000 and abs(begun - real() * 1000) < 60_000


def test_a_part_of_the_records_fails_where_a_tag_says_so(account: LocalAccount) -> None:
    account.ensure_bucket(BUCKET)
    client = account.client("firehose")
    client.create_delivery_stream(
        DeliveryStreamName="events", **s3(), Tags=[{"Key": "mlops:fail-share", "Value": "0.5"}]
    )
    stream = Stream(account, "events")
    records = [b"%d\n" % number for number in range(500)]
    reply = stream.ask(*records)
    answers = reply["RequestResponses"]
    failed = [item for item in answers if "ErrorCode" in item]
    assert 100 < reply["FailedPutCount"] == len(failed) < 400
    assert failed[0] == {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
    stream.deliver()
    taken = b"".join(record for record, told in zip(records, answers, strict=True) if "RecordId" in told)
    assert b"".join(stream.objects().values()) == taken


def test_what_was_not_counted_was_not_accepted(tmp_path: Any) -> None:
    """Killed between the two writes of a put, or in the first of them."""
    spool = Spool(tmp_path)
    spool.append([b"one"], 1)
    (file,) = tmp_path.glob("*.spool")
    with file.open("ab") as held:
        held.write(b"half of a rec")
    assert [block.count for block in spool.blocks(BEGINNING)] == [1]
    place = spool.append([b"two", b""], 2)
    found = [(block.arrived, records) for block, records in spool.read(BEGINNING, (9, 9))]  # type: ignore[arg-type]
    assert found == [(1, [b"one"]), (2, [b"two", b""])]
    assert [block.place for block in spool.blocks(place)] == [place]


def test_what_finds_no_room_is_put_again_later(account: LocalAccount, tmp_path: Path) -> None:
    opened(account)
    folder = streams.folder_of(account.state, "events")
    (folder / streams.found(account.state, "events")["Incarnation"] / "spool").write_text("in the way")
    code, says = refused(account.client("firehose").put_record, DeliveryStreamName="events", Record={"Data": b"a"})
    assert (code, says.startswith("Slow down. (")) == ("ServiceUnavailableException", True)


def test_a_spool_is_many_files(tmp_path: Any) -> None:
    spool = Spool(tmp_path, file_bytes=100)
    places = [spool.append([b"x" * 60], number) for number in range(5)]
    assert [place.file for place in places] == [1, 2, 3, 4, 5]
    assert [block.arrived for block in spool.blocks(places[2])] == [2, 3, 4]
    spool.forget(places[3])
    assert len(list(tmp_path.glob("*.spool"))) == 2 and spool.backlog(places[3]) > 120


def test_a_stream_is_delivered_by_a_process_of_its_own(account: LocalAccount) -> None:
    """What is put is there some seconds later, though nobody but the clients does anything; and all is gone at last."""
    account.ensure_bucket(BUCKET)
    client = account.client("firehose")
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 0}
    client.create_delivery_stream(DeliveryStreamName="events", **s3(BufferingHints=hints))
    client.put_record(DeliveryStreamName="events", Record={"Data": b"a"})
    put, found = time.monotonic(), dict[str, bytes]()
    while not found and time.monotonic() - put < 60:
        time.sleep(0.05)
        found = dict(objects(account))
    assert list(found.values()) == [b"a"]
    client.put_record(DeliveryStreamName="events", Record={"Data": b"b"})
    client.delete_delivery_stream(DeliveryStreamName="events")
    while client.list_delivery_streams()["DeliveryStreamNames"] and time.monotonic() - put < 60:
        time.sleep(0.05)
    assert sorted(dict(objects(account)).values()) == [b"a", b"b"]
    assert not (account.state.folder / "streams" / "events").exists()


@pytest.mark.parametrize("name", [".", ".."])
def test_no_name_is_the_folder_of_others(shared: LocalAccount, name: str) -> None:
    """A stream's folder goes with it."""
    client = shared.client("firehose")
    assert refused(client.create_delivery_stream, DeliveryStreamName=name, **s3())[0] == "InvalidArgumentException"


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    ours = tmp_path / "keys"
    ours.write_bytes(b"0123456789abcdef, and more")
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "notes.spool").write_text("mine")
    (folder / f"{1:012d}.spool").symlink_to(ours)
    with pytest.raises(OSError, match="symbolic"):
        Spool(folder).append([b"a"], 1)
    assert ours.read_bytes() == b"0123456789abcdef, and more"
    (folder / f"{1:012d}.spool").unlink()
    place = Spool(folder).append([b"a"], 1)
    assert place == BEGINNING and [block.count for block in Spool(folder).blocks(place)] == [1]


def test_what_nobody_thought_of_keeps_no_stream_from_going_and_tells_no_record(account: LocalAccount) -> None:
    stream = opened(account)
    stream.put(b"a")
    assert stream.turn() == 300.0  # looks how much there is, and has begun nothing
    stream.deliverer.put_off(ValueError("planted-0815"))
    for _ in range(3):
        assert not stream.deliverer.idle()
        stream.deliverer.put_off(ValueError("planted-0815"), closing=True)
    assert stream.deliverer.idle()
    told = [str(event) for event in account.events.read(ids={"stream": "events"})]
    assert "ValueError in the delivery" in str(told) and "planted" not in str([told, stream.deliverer.stands])
