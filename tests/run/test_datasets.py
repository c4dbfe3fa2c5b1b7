"""What stands for Athena and Redshift: a folder of tables that is queried, a file that is the rows, in each form that a
DatasetDefinition may ask for; and who asks for more than there is, or reaches elsewhere, is told."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account

from mlops.run.datasets import brought
from mlops.run.outcome import StepFailed

OUT = "s3://bucket/asked"


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "orders").mkdir(parents=True)
    (folder / "visits.csv").write_text("id,page\n1,home\n2,about\n3,home\n")
    for number in (1, 2):
        (folder / "orders" / f"{number}.jsonl").write_text(json.dumps({"id": number, "eur": number * 10}) + "\n")
    (folder / "readme.txt").write_text("no table")
    return folder


def athena(query: str, **more: Any) -> dict[str, Any]:
    settings = {"Catalog": "AwsDataCatalog", "Database": "web", "QueryString": query, "OutputS3Uri": OUT}
    return {"AthenaDatasetDefinition": {"OutputFormat": "JSON", **settings, **more}}


def redshift(query: str, **more: Any) -> dict[str, Any]:
    settings = {"ClusterId": "c", "Database": "web", "DbUser": "u", "QueryString": query, "OutputS3Uri": OUT}
    return {"RedshiftDatasetDefinition": {"OutputFormat": "CSV", "ClusterRoleArn": "r", **settings, **more}}


def parquet(content: bytes) -> list[Any]:
    from pyarrow import parquet as reader

    return [[*row.values()] for row in reader.read_table(io.BytesIO(content)).to_pylist()]


def orc(content: bytes) -> list[Any]:
    from pyarrow import orc as reader

    return [[*row.values()] for row in reader.read_table(io.BytesIO(content)).to_pylist()]


def lines(content: bytes) -> list[Any]:
    return [[*json.loads(line).values()] for line in content.splitlines()]


def separated(by: str) -> Callable[[bytes], list[Any]]:
    return lambda content: [[int(line.split(by)[0]), *line.split(by)[1:]] for line in content.decode().splitlines()]


def unpacked(then: Callable[[bytes], list[Any]]) -> Callable[[bytes], list[Any]]:
    return lambda content: then(gzip.decompress(content))


HOME = "SELECT id, page FROM visits WHERE page = 'home' ORDER BY id"
JOINED = 'SELECT v.id, o.eur FROM AwsDataCatalog.web.visits v JOIN "web"."orders" o ON o.id = v.id ORDER BY 1'
ROWS: list[tuple[dict[str, Any], str, Callable[[bytes], list[Any]], list[Any]]] = [
    (athena(HOME), "rows.json", lines, [[1, "home"], [3, "home"]]),
    (athena(JOINED), "rows.json", lines, [[1, 10], [2, 20]]),
    (athena(HOME, OutputCompression="GZIP"), "rows.json.gz", unpacked(lines), [[1, "home"], [3, "home"]]),
    (athena(HOME, OutputFormat="TEXTFILE"), "rows.txt", separated("\x01"), [[1, "home"], [3, "home"]]),
    (
        athena(HOME, OutputFormat="PARQUET", OutputCompression="SNAPPY"),
        "rows.parquet",
        parquet,
        [[1, "home"], [3, "home"]],
    ),
    (athena(HOME, OutputFormat="ORC", OutputCompression="ZLIB"), "rows.orc", orc, [[1, "home"], [3, "home"]]),
    (redshift("SELECT id, page FROM public.visits ORDER BY id LIMIT 1"), "rows.csv", separated(","), [[1, "home"]]),
    (redshift(HOME, OutputFormat="PARQUET"), "rows.parquet", parquet, [[1, "home"], [3, "home"]]),
    (redshift("SELECT 1 AS a, 2 AS a"), "rows.csv", separated(","), [[1, "2"]]),
    (athena("SELECT 1 AS a, 2 AS a", OutputFormat="TEXTFILE"), "rows.txt", separated("\x01"), [[1, "2"]]),
]


@pytest.mark.parametrize(("definition", "name", "read", "expected"), ROWS)
def test_rows_in_the_form_that_is_asked(
    account: Account, tables: Path, definition: Mapping[str, Any], name: str, read: Any, expected: list[Any]
) -> None:
    uri = brought(definition, lambda *_: tables, account.objects, tables.parent / "way", "input in")
    assert uri == f"{OUT}/{name}"
    assert read(account.objects.read(uri)) == expected


def test_a_file_is_the_rows_whatever_is_asked(account: Account, tables: Path) -> None:
    place = tables / "visits.csv"
    account.objects.write(f"{OUT}/rows.json", "of another time")
    uri = brought(athena("SELECT anything AT ALL"), lambda *_: place, account.objects, tables.parent / "way", "in")
    assert lines(account.objects.read(uri)) == [[1, "home"], [2, "about"], [3, "home"]]


SECRET = "SELECT * FROM read_csv('/etc/passwd')"
REFUSED: list[tuple[dict[str, Any], str]] = [
    (athena("SELECT * FROM nowhere"), "does not answer the query"),
    (athena("SELECT 1; COPY visits TO '/tmp/stolen.csv'"), "is to be one SELECT"),
    (athena(SECRET), "does not answer the query"),
    (athena("SET enable_external_access = true"), "is to be one SELECT"),
    (athena("DROP TABLE visits"), "is to be one SELECT"),
    (athena("SELECT * FROM mlops_rows"), "does not answer the query"),
    (athena("SELECT * FROM tables"), "does not answer the query"),
    (athena(HOME, OutputFormat="AVRO"), "cannot be written as AVRO here: take one of"),
    (athena(HOME, OutputCompression="SNAPPY"), "JSON is not written with SNAPPY here: take one of GZIP, or none"),
    (athena(HOME, OutputS3Uri="/out"), "not an s3:// URI"),
    (athena("SELECT 1 AS a, 2 AS a"), "several columns are called a, which JSON cannot keep apart"),
    (athena("SELECT 1 AS a, 2 AS a", OutputFormat="PARQUET"), "several columns are called a"),
    (athena("SELECT TIME '10:00' AS t", OutputFormat="ORC"), "the rows cannot be written as ORC here: Unknown or uns"),
    (redshift("SELECT INTERVAL 1 DAY", OutputFormat="PARQUET"), "the rows cannot be written as PARQUET here: Unhan"),
    ({}, "neither Athena nor Redshift"),
]


@pytest.mark.parametrize(("definition", "said"), REFUSED)
def test_what_is_not_answered(account: Account, tables: Path, definition: dict[str, Any], said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        brought(definition, lambda *_: tables, account.objects, tables.parent / "way", "input in")
