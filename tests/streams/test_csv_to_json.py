"""The function that comes with mlops and makes JSON of CSV: row by row, and on its way to Parquet here."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pyarrow.parquet
import pytest
from stream_parts import FUNCTION, ROLE, failures, opened, processors, s3

from mlops.account.local import LocalAccount
from mlops.use_cases.functions import source

COLUMNS = '{"id": int, "name": str, "score": float, "right": bool}'
OURS = source("csv-to-json").replace('{"id": str, "score": float}', COLUMNS)


def answered(records: list[bytes], program: str = OURS) -> list[tuple[str, bytes]]:
    room: dict[str, Any] = {}
    exec(compile(program, "csv_to_json.py", "exec"), room)
    given = [{"recordId": str(n), "data": base64.b64encode(data).decode()} for n, data in enumerate(records)]
    told = room["handler"]({"records": given}, None)["records"]
    assert [item["recordId"] for item in told] == [item["recordId"] for item in given]
    return [(item["result"], base64.b64decode(item["data"])) for item in told]


@pytest.mark.parametrize(
    ("record", "rows"),
    [
        (b"1,ada,0.5,true\n", [{"id": 1, "name": "ada", "score": 0.5, "right": True}]),
        ('\ufeff1,"a ""b"",\nc",,no\r\n2,é,1e3,F'.encode(), [
            {"id": 1, "name": 'a "b",\nc', "score": None, "right": False},
            {"id": 2, "name": "é", "score": 1000.0, "right": False},
        ]),
        (b"1,ada,0.5", None),
        (b"1,ada,0.5,true,more", None),
        (b"one,ada,0.5,true", None),
        (b"1,ada,nan,true", None),
        (b"1_0,ada,0.5,true", None),
        (b"1," + b"x" * 500_000 + b",0.5,true", [{"id": 1, "name": "x" * 500_000, "score": 0.5, "right": True}]),
        (b"1,ada,0.5,perhaps", None),
        (b'1,"ada,0.5,true', None),
        (b"\xff,ada,0.5,true", None),
    ],
)  # fmt: skip
def test_a_line_becomes_an_object_or_its_record_fails(record: bytes, rows: list[Any] | None) -> None:
    ((result, data),) = answered([record])
    if rows is None:
        assert (result, data) == ("ProcessingFailed", record)
    else:
        assert result == "Ok" and [json.loads(line) for line in data.splitlines()] == rows


def test_a_header_and_what_is_empty_become_nothing() -> None:
    told = answered([b"id,name,score,right\n1,a,2,t\n", b"\n", b""], OURS.replace("HEADER = False", "HEADER = True"))
    assert [result for result, _ in told] == ["Ok", "Dropped", "Dropped"]
    assert json.loads(told[0][1]) == {"id": 1, "name": "a", "score": 2.0, "right": True}
    with pytest.raises(ValueError, match="larger than 6 MB"):
        answered([b"1,a,2,t\n" * 10], OURS.replace("5_500_000", "500"))


def test_it_makes_rows_of_parquet_on_its_way(account: LocalAccount) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("change.py", OURS)
    account.client("lambda").create_function(
        FunctionName="change", Runtime="python3.12", Role=ROLE, Handler="change.handler",
        Code={"ZipFile": held.getvalue()}, Timeout=60,
    )  # fmt: skip
    glue = account.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    kinds = {"id": "bigint", "name": "string", "score": "double", "right": "boolean"}
    columns = [{"Name": name, "Type": kind} for name, kind in kinds.items()]
    glue.create_table(DatabaseName="lake", TableInput={"Name": "events", "StorageDescriptor": {"Columns": columns}})
    conversion = {
        "SchemaConfiguration": {"RoleARN": ROLE, "DatabaseName": "lake", "TableName": "events"},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }
    changed = processors(("Lambda", {"LambdaArn": FUNCTION}))
    stream = opened(account, **s3(Prefix="good/", DataFormatConversionConfiguration=conversion, **changed))
    stream.put(b"1,ada,0.5,true\n2,bob,,no\n", b"poison\n")
    stream.deliver()
    written = stream.objects()
    (rows,) = [content for key, content in written.items() if key.endswith(".parquet")]
    assert pyarrow.parquet.read_table(io.BytesIO(rows)).to_pylist() == [
        {"id": 1, "name": "ada", "score": 0.5, "right": True}, {"id": 2, "name": "bob", "score": None, "right": False}
    ]  # fmt: skip
    (failed,) = [item for key, content in written.items() if "failed" in key for item in failures(content)]
    assert base64.b64decode(failed["rawData"]) == b"poison\n"
