"""Tables of the Glue catalog stand for a database of Athena: what their places in S3 hold is queried."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.account.local.datasets import place_of, stands
from mlops.account.local.process.ports import LocalObjects
from mlops.run.datasets import brought
from mlops.run.outcome import StepFailed

HIVE = "org.apache.hadoop.hive.serde2"
Table = Callable[..., None]


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.client("s3").create_bucket(Bucket="acme")
    account.client("glue").create_database(DatabaseInput={"Name": "web"})
    return account


def put(account: LocalAccount, name: str, content: bytes, library: str, **more: Any) -> None:
    key = f"{name}/part-0.gz" if more.pop("packed", False) else f"{name}/part-0"
    account.client("s3").put_object(Bucket="acme", Key=key, Body=content)
    columns = [{"Name": "id", "Type": "int"}, {"Name": "page", "Type": "string"}]
    serde = {"SerializationLibrary": f"{HIVE}.{library}", "Parameters": more.pop("serde", {})}
    storage = {"Location": f"s3://acme/{name}", "Columns": columns, "SerdeInfo": serde}
    account.client("glue").create_table(
        DatabaseName="web", TableInput={"Name": name, "StorageDescriptor": storage, **more}
    )


def asked(account: LocalAccount, query: str, folder: Path) -> list[Any]:
    settings = {"Catalog": "AwsDataCatalog", "Database": "web", "QueryString": query, "OutputS3Uri": "s3://acme/out"}
    definition = {"AthenaDatasetDefinition": {"OutputFormat": "JSON", **settings}}
    objects = LocalObjects(account.state)
    uri = brought(definition, partial(place_of, account.state), objects, folder, "input in")
    return [json.loads(line) for line in objects.read(uri).splitlines()]


def test_tables_of_the_catalog_are_queried(account: LocalAccount, tmp_path: Path) -> None:
    put(account, "visits", b"1\x01home\n2\x01about\n", "lazy.LazySimpleSerDe")
    quoted = {"Parameters": {"skip.header.line.count": "1"}}
    put(account, "orders", gzip.compress(b'no,what\n1,"a, b"\n'), "OpenCSVSerde", packed=True, **quoted)
    put(account, "pages", b'{"id": 2, "page": "x"}\n', "JsonSerDe")
    query = "SELECT v.id, v.page, o.page AS bought, p.page AS seen FROM visits v LEFT JOIN orders o ON o.id = v.id "
    told = asked(account, query + "LEFT JOIN pages p ON p.id = v.id ORDER BY v.id", tmp_path / "way")
    assert told == [
        {"id": 1, "page": "home", "bought": "a, b", "seen": None},
        {"id": 2, "page": "about", "bought": None, "seen": "x"},
    ]
    put(account, "odd", b'1||"a\n2||\\N\n', "lazy.LazySimpleSerDe", serde={"field.delim": "||"})
    put(account, "none", b"", "lazy.LazySimpleSerDe")
    assert asked(account, "SELECT * FROM odd ORDER BY id", tmp_path / "way") == [
        {"id": 1, "page": '"a'}, {"id": 2, "page": ""}
    ]  # fmt: skip
    assert asked(account, "SELECT count(*) AS n FROM none WHERE id = 1", tmp_path / "way") == [{"n": 0}]
    assert stands(account.state, "web") and not stands(account.state, "other")


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (b"1;;a\n", {"library": "OpenCSVSerde", "serde": {"separatorChar": ";;"}}, "one character, not by ';;'"),
        (b"1\n", {"name": ".."}, r"table \.\. of web has a name that no folder has"),
        (b"1\n", {"PartitionKeys": [{"Name": "day", "Type": "string"}]}, "visits of web has partitions"),
        (b"\xff\xfe1\n", {}, r"s3://acme/visits/part-0, of the table visits: .*utf-8"),
    ],
    ids=["two characters", "a path", "partitions", "no text"],
)
def test_a_table_that_cannot_be_read_says_why(
    account: LocalAccount, tmp_path: Path, content: bytes, more: dict[str, Any], said: str
) -> None:
    put(account, **{"name": "visits", "content": content, "library": "lazy.LazySimpleSerDe", **more})
    with pytest.raises(StepFailed, match=said):
        asked(account, "SELECT * FROM visits", tmp_path / "way")
