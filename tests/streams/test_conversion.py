"""JSON as Parquet and ORC: what an independent reader finds is what was put, and what fits no row fails alone."""

from __future__ import annotations

import base64
import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stream_parts import ROLE, Stream, failures, opened, processors, s3

from mlops.account.local import LocalAccount
from mlops.account.local.delivery.conversion import format_of, typed

COLUMNS = {
    "id": "bigint",
    "small": "tinyint",
    "name": "string",
    "score": "double",
    "right": "boolean",
    "at": "timestamp",
    "day": "date",
    "price": "decimal(8,2)",
    "tags": "array<string>",
    "more": "map<string,int>",
    "who": "struct<Name:string, age:int,places:array<struct<x:double>>>",
}


def table(account: LocalAccount, columns: dict[str, str] = COLUMNS, database: str = "lake") -> None:
    glue = account.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    listed = [{"Name": name, "Type": kind} for name, kind in columns.items()]
    glue.create_table(DatabaseName=database, TableInput={"Name": "events", "StorageDescriptor": {"Columns": listed}})


def converted(serializer: dict[str, Any], openx: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return s3(
        DataFormatConversionConfiguration={
            "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "lake", "TableName": "events"},
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": openx or {}}},
            "OutputFormatConfiguration": {"Serializer": serializer},
        },
        **more,
    )


def read(key: str, content: bytes) -> list[dict[str, Any]]:
    import pyarrow.orc
    import pyarrow.parquet

    reader = pyarrow.orc if key.endswith(".orc") else pyarrow.parquet
    found: list[dict[str, Any]] = reader.read_table(io.BytesIO(content)).to_pylist()
    return found


def read_by_duckdb(file: Path, content: bytes) -> list[dict[str, Any]]:
    """Whose reader of Parquet is its own: pyarrow wrote it."""
    import duckdb

    file.write_bytes(content)
    with duckdb.connect() as connection:
        told = connection.execute(f"SELECT * FROM '{file}'")
        names = [column[0] for column in told.description or ()]
        return [dict(zip(names, row, strict=True)) for row in told.fetchall()]


ROW = {
    "id": 7, "small": -128, "name": "ada", "score": 0.5, "right": True, "at": "2018-07-09 23:04:05.5",
    "day": "2018-07-09", "price": 12.345, "tags": ["a", None], "more": {"x": 1}, "other": "left out",
    "who": {"name": "Ada", "AGE": "36", "places": [{"x": 1}]},
}  # fmt: skip
TOLD = {
    "id": 7, "small": -128, "name": "ada", "score": 0.5, "right": True, "at": datetime(2018, 7, 9, 23, 4, 5, 500_000),
    "day": date(2018, 7, 9), "price": Decimal("12.34"), "tags": ["a", None], "more": [("x", 1)],
    "who": {"name": "Ada", "age": 36, "places": [{"x": 1.0}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("serializer", "extension"),
    [
        ({"ParquetSerDe": {}}, ".parquet"),
        ({"OrcSerDe": {}}, ".orc"),
        ({"ParquetSerDe": {"Compression": "GZIP"}}, ".parquet"),
    ],
)
def test_rows_are_what_was_put(
    account: LocalAccount, serializer: dict[str, Any], extension: str, tmp_path: Path
) -> None:
    table(account)
    stream = opened(account, **converted(serializer))
    other = {"ID": 8.0, "name": {"a": 1}, "at": 1_531_177_445}
    stream.put(json.dumps(ROW).encode() + b"\n" + json.dumps(other).encode(), b"{}")
    stream.deliver()
    ((key, content),) = stream.objects().items()
    assert key.endswith(extension) and "/events-1-" in key
    nothing = dict.fromkeys(COLUMNS)
    rows = [{**row, "more": row["more"] and list(row["more"])} for row in read(key, content)]
    second = {**nothing, "id": 8, "name": '{"a":1}', "at": datetime(2018, 7, 9, 23, 4, 5)}
    assert rows == [TOLD, second, nothing]
    if extension == ".parquet":
        others = read_by_duckdb(tmp_path / "rows.parquet", content)
        assert [{**row, "more": row["more"] and [*row["more"].items()]} for row in others] == rows


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"no json", "MalformedData"),
        (b"[]", "MalformedData"),
        (b"7", "MalformedData"),
        (b'{"id": 1} [', "MalformedData"),
        (b'{"id": "x"}', "ParseError"),
        (b'{"id": 1.5}', "ParseError"),
        (b'{"id": 9223372036854775808}', "ParseError"),
        (b'{"small": 128}', "ParseError"),
        (b'{"id": true}', "ParseError"),
        (b'{"right": "perhaps"}', "ParseError"),
        (b'{"at": "yesterday"}', "ParseError"),
        (b'{"price": 1234567.5}', "ParseError"),
        (b'{"price": NaN}', "ParseError"),
        (b'{"price": "Infinity"}', "ParseError"),
        (b'{"tags": {}}', "ParseError"),
        (b'{"who": []}', "ParseError"),
        (b'{"name": "\\ud800"}', "ParseError"),
    ],
)
def test_what_is_no_row_fails_alone(shared_stream: Stream, record: bytes, code: str) -> None:
    stream = shared_stream
    before = stream.objects()
    stream.put(b'{"id": 1}', record, b'{"id": 2}')
    stream.deliver()
    new = {key: content for key, content in stream.objects().items() if key not in before}
    ((key, bad),) = [(key, content) for key, content in new.items() if "format-conversion-failed" in key]
    ((good, content),) = [(key, content) for key, content in new.items() if "failed" not in key]
    assert [row["id"] for row in read(good, content)] == [1, 2]
    (told,) = failures(bad)
    assert base64.b64decode(told["rawData"]) == record and told["lastErrorCode"] == f"DataFormatConversion.{code}"
    assert told["dataCatalogTable"]["tableName"] == "events" and key.startswith("bad/")


@pytest.fixture(scope="module")
def shared_stream(shared: LocalAccount) -> Stream:
    table(shared)
    return opened(shared, "rows", **converted({"ParquetSerDe": {}}, ErrorOutputPrefix="bad/"))


def test_keys_are_what_the_stream_says(account: LocalAccount) -> None:
    table(account, {"time_at": "int", "when": "int", "a": "int"})
    openx = {
        "CaseInsensitive": False,
        "ConvertDotsInJsonKeysToUnderscores": True,
        "ColumnToJsonKeyMappings": {"when": "timestamp"},
    }
    stream = opened(account, **converted({"ParquetSerDe": {}}, openx))
    stream.put(b'{"time.at": 1, "timestamp": 2, "A": 3}')
    stream.deliver()
    ((key, content),) = stream.objects().items()
    assert read(key, content) == [{"time_at": 1, "when": 2, "a": None}]


def test_partitions_are_converted_too(account: LocalAccount) -> None:
    table(account, {"id": "int"})
    given = converted(
        {"ParquetSerDe": {}},
        DynamicPartitioningConfiguration={"Enabled": True},
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        Prefix="!{partitionKeyFromQuery:k}/",
        ErrorOutputPrefix="bad/!{firehose:error-output-type}/",
        **processors(("MetadataExtraction", {"MetadataExtractionQuery": "{k: .k}", "JsonParsingEngine": "JQ-1.6"})),
    )
    stream = opened(account, **given)
    stream.put(*(b'{"id": %d, "k": "k%d"}' % (number, number % 2) for number in range(4)))
    stream.deliver()
    found = {key.partition("/")[0]: read(key, content) for key, content in stream.objects().items()}
    assert found == {"k0": [{"id": 0}, {"id": 2}], "k1": [{"id": 1}, {"id": 3}]}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (None, "Database lake not found"),
        ({}, "the table has no columns"),
        ({"a": "uniontype<int>"}, "'uniontype' is no type"),
        ({"a": "array<int"}, "'>' is wanted"),
        ({"a": "struct<x>"}, "':' is wanted"),
        ({"a": "decimal(40,2)"}, "no type that is known"),
        ({"a": "int int"}, "no type that is known"),
    ],
)
def test_a_table_that_cannot_be_written_is_told_when_a_stream_is_made(
    account: LocalAccount, columns: dict[str, str] | None, says: str
) -> None:
    if columns is not None:
        table(account, columns)
    with pytest.raises(ClientError, match=says):
        opened(account, **converted({"ParquetSerDe": {}}))


def test_a_decimal_has_all_its_digits() -> None:
    digits = "1234567890123456789012345678.0123456789"
    assert str(typed("decimal(38,10)")[1](digits)) == digits


@pytest.mark.parametrize(
    ("formats", "value", "time"),
    [
        (None, "2018-07-09 23:04:05.5", datetime(2018, 7, 9, 23, 4, 5, 500_000)),
        (None, "2018-7-9 3:4:5", datetime(2018, 7, 9, 3, 4, 5)),
        (None, "2018-07-09T23:04:05", None),
        (None, 1_531_177_445_000, None),
        (["millis"], 1_531_177_445_006, datetime(2018, 7, 9, 23, 4, 5, 6000)),
        (["millis"], "1531177445006", datetime(2018, 7, 9, 23, 4, 5, 6000)),
        (["yyyy-MM-dd'T'HH:mm:ss"], "2018-07-09T23:04:05", datetime(2018, 7, 9, 23, 4, 5)),
        (["yyyy-MM-dd'T'HH:mm:ssZ"], "2018-07-09T23:04:05+02:00", datetime(2018, 7, 9, 21, 4, 5)),
        (["dd/MMM/yyyy:HH:mm:ss Z"], "09/Jul/2018:23:04:05 -0700", datetime(2018, 7, 10, 6, 4, 5)),
        (["dd.MM.yyyy", "MM/dd/yy hh:mm a"], "07/09/18 11:04 PM", datetime(2018, 7, 9, 23, 4)),
        (["dd.MM.yyyy"], "2018-07-09 23:04:05", datetime(2018, 7, 9, 23, 4, 5)),
        (["dd.MM.yyyy"], "30.02.2018", None),
        (["MM/dd/yy"], "07/09/70", datetime(1970, 7, 9)),
        (["yyyy-DDD"], "2018-190", datetime(2018, 7, 9)),
        (["EEE, d MMM yyyy HH:mm:ss z"], "Mon, 9 Jul 2018 23:04:05 UTC", datetime(2018, 7, 9, 23, 4, 5)),
    ],
)
def test_hive_reads_times_by_the_patterns_that_it_is_given(
    formats: list[str] | None, value: Any, time: datetime | None
) -> None:
    given = {} if formats is None else {"TimestampFormats": formats}
    asked = {
        "InputFormatConfiguration": {"Deserializer": {"HiveJsonSerDe": given}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }
    (column,) = format_of(asked, [{"Name": "at", "Type": "timestamp"}]).columns
    if time is None:
        with pytest.raises(ValueError):
            column.convert(value)
    else:
        assert column.convert(value) == time


def test_a_pattern_that_is_none_is_refused_when_the_stream_is_made(account: LocalAccount) -> None:
    table(account)
    given = converted({"ParquetSerDe": {}})
    conversion = given["ExtendedS3DestinationConfiguration"]["DataFormatConversionConfiguration"]
    conversion["InputFormatConfiguration"] = {"Deserializer": {"HiveJsonSerDe": {"TimestampFormats": ["yyyy-qq"]}}}
    with pytest.raises(ClientError, match="the letters 'qq'"):
        opened(account, **given)
