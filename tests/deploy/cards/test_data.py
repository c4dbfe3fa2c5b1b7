"""Data are described while they are what was read; what cannot be told has a reason."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.cards.data import DataSet, see
from mlops.deploy.executions.inputs import listing
from mlops.deploy.models.lineage import Content, digest

LONG = b"age,name\n" + b"31,Ann\n" * 5000
CSV = b"age,name\n31,Ann\n32,Bob\n"


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    found = LocalAccount(tmp_path / ".mlops", "us-east-1")
    found.ensure_bucket("mlops-local")
    return found


def put(account: LocalAccount, **objects: bytes) -> Content:
    """Below data/, as a step read it."""
    for name, body in objects.items():
        account.client("s3").put_object(Bucket="mlops-local", Key=f"data/{name.replace('__', '.')}", Body=body)
    there = listing(account, "s3://mlops-local/data/")
    assert there is not None
    return Content("s3://mlops-local/data/", digest(there), len(there))


def one(account: LocalAccount, content: Content, most: int = 10_000) -> DataSet:
    (found,) = see(account, {"Train: train": content}, (), most)
    return found


@pytest.mark.parametrize(
    ("objects", "rows", "whole", "unknown"),
    [
        ({"a__csv": CSV}, 2, True, None),
        ({"a__csv__gz": gzip.compress(CSV)}, 2, True, None),
        ({"a__csv": b"\xef\xbb\xbf" + CSV}, 2, True, None),
        ({"a__csv": CSV, "b__csv": CSV, "_SUCCESS": b""}, 4, True, None),
        ({"a__csv": CSV, "b__png": b"\x89"}, 2, True, "1 further file of another form"),
        ({"a__csv": LONG}, 1427, False, None),
        ({"a__csv": LONG, "b__csv": CSV}, 1427, False, None),
        ({"a__csv__gz": gzip.compress(LONG), "b__csv": CSV}, 1427, False, None),
        ({"a__bin": b"\x00"}, None, True, "none of its files is CSV, TSV, JSON or Parquet by its name"),
        ({"a": b""}, None, True, "it is empty"),
        ({"a__csv": b"a\n\xff\xfe\n"}, None, True, "a.csv cannot be read: UnicodeDecodeError"),
        ({"a__csv__gz": CSV}, None, True, "a.csv.gz cannot be read: BadGzipFile"),
        ({"a__jsonl": b'{"name": "Ann"}\n{"name": '}, None, True, "a.jsonl cannot be read: line 1 is no JSON"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_lies_there(
    account: LocalAccount, objects: dict[str, bytes], rows: int | None, whole: bool, unknown: str | None
) -> None:
    found = one(account, put(account, **objects))
    told = found.statistics
    assert (told.rows if told is not None else None, found.unknown) == (rows, unknown)
    assert not whole or found.whole
    assert whole or (not found.whole and rows is not None)


def test_one_object_by_its_whole_name(account: LocalAccount) -> None:
    put(account, a__csv=CSV, a__csv2=b"more")
    there = listing(account, "s3://mlops-local/data/a.csv")
    assert there is not None
    found = one(account, Content("s3://mlops-local/data/a.csv", digest(there), len(there)))
    assert found.statistics is not None and found.statistics.rows == 2


def test_what_is_not_what_was_read_is_not_described(account: LocalAccount) -> None:
    content = put(account, a__csv=CSV)
    uri = content.uri
    assert one(account, Content(uri, None)).unknown == "what lay there could not be asked"
    assert "while or after" in (one(account, Content(uri, content.etag, changed=True)).unknown or "")
    put(account, a__csv=CSV + b"33,Cy\n")
    found = one(account, content)
    assert (found.statistics, found.unknown) == (None, "what lies there now is not what was read")
    account.client("s3").delete_object(Bucket="mlops-local", Key="data/a.csv")
    assert one(account, content).unknown == "nothing lies there any more"
    assert one(account, Content("s3://elsewhere/x", "1")).unknown is not None


def ages(rows: int) -> dict[str, list[Any]]:
    found = [(31 + number * 7919) % 100_003 for number in range(rows)]
    return {"age": found, "name": [f"n{age}" for age in found]}


@pytest.mark.parametrize(
    ("columns", "rows", "whole", "unknown"),
    [
        (ages(3), 5, True, None),
        (ages(3000), 2, False, None),
        pytest.param({"embedding": [[0] * 5000] * 3}, 2, False, None, id="lists"),
        pytest.param({"when": [2**61]}, None, True, "a.parquet cannot be read: ValueError", id="behind the year 9999"),
    ],
)
def test_tables_in_parquet(
    account: LocalAccount, columns: dict[str, list[Any]], rows: int | None, whole: bool, unknown: str | None
) -> None:
    arrow, tables = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    kinds = {"when": arrow.timestamp("us")}
    tables.write_table(arrow.table({name: arrow.array(of, kinds.get(name)) for name, of in columns.items()}), file)
    found = one(account, put(account, a__parquet=file.getvalue(), b__csv=CSV))
    assert (found.statistics.rows if found.statistics else None, found.whole, found.unknown) == (rows, whole, unknown)


def test_what_is_no_parquet_is_told(account: LocalAccount) -> None:
    pytest.importorskip("pyarrow")
    found = one(account, put(account, a__parquet=b"PAR1 and no more"))
    assert found.unknown == "a.parquet cannot be read: ArrowInvalid"
