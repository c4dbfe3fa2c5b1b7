"""Tables of the Glue catalog as files of rows: what their places in S3 hold, in a form that is queried here."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.glue import tables
from mlops.account.local.state import State
from mlops.ir.s3_uri import split_uri
from mlops.run.outcome import StepFailed

_FORMS = ("parquet", "orc", "json")
_DEFAULT_DELIMITER = "\x01"
"""Hive's, where a table says none (Glue guide, LazySimpleSerDe)."""


def has_database(state: State, name: str) -> bool:
    try:
        tables.get_database(state, {"Name": name})
    except Refusal:
        return False
    return True


def as_files(state: State, database: str, folder: Path) -> Path | None:
    """``folder`` with a folder of files for each table; None where the catalog has no such database. Raises StepFailed
    for a table that cannot be read here."""
    if not has_database(state, database):
        return None
    for table in _tables(state, database):
        storage = table.get("StorageDescriptor") or {}
        place = str(storage.get("Location") or "")
        if not place.startswith("s3://"):
            continue  # a view
        if table.get("PartitionKeys"):
            raise StepFailed(f"the table {table['Name']} of {database} has partitions, which are not read here")
        target = folder / table["Name"]
        target.mkdir(parents=True, exist_ok=True)
        bucket, key = split_uri(place)
        beginning = f"{key.rstrip('/')}/" if key else ""
        for number, found in enumerate(state.objects.list(bucket, beginning)):
            with state.objects.open(bucket, found.key) as (_, file):
                content = file.read()
            try:
                if found.key.endswith(".gz"):
                    content = gzip.decompress(content)
                ending, rows = _rows(content, table, storage)
            except (OSError, EOFError, ValueError, zlib.error, csv.Error) as fault:
                raise StepFailed(f"s3://{bucket}/{found.key}, of the table {table['Name']}: {fault}") from None
            if content:
                (target / f"{number}{ending}").write_bytes(rows)
    return folder


def _tables(state: State, database: str) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {"DatabaseName": database}
    while True:
        page = tables.get_tables(state, request)
        yield from page["TableList"]
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _rows(content: bytes, table: Mapping[str, Any], storage: Mapping[str, Any]) -> tuple[str, bytes]:
    """The end of a file's name, and what is in it: text with a line of names."""
    form = _form(table, storage)
    if form is not None:
        return f".{form}", content
    serde = (storage.get("SerdeInfo") or {}).get("Parameters") or {}
    delimiter = serde.get("field.delim") or serde.get("separatorChar") or _delimiter(storage)
    skipped = int((table.get("Parameters") or {}).get("skip.header.line.count") or 0)
    lines = csv.reader(StringIO(content.decode("utf-8")), delimiter=delimiter)
    text = StringIO()
    names = [column["Name"] for column in storage.get("Columns") or ()]
    csv.writer(text, lineterminator="\n").writerows([names, *islice(lines, skipped, None)])
    return ".csv", text.getvalue().encode()


def _form(table: Mapping[str, Any], storage: Mapping[str, Any]) -> str | None:
    """None of separated text."""
    classified = (table.get("Parameters") or {}).get("classification")
    said = [classified, (storage.get("SerdeInfo") or {}).get("SerializationLibrary"), storage.get("InputFormat")]
    words = " ".join(str(word).lower() for word in said if word)
    return next((form for form in _FORMS if form in words), None)


def _delimiter(storage: Mapping[str, Any]) -> str:
    library = str((storage.get("SerdeInfo") or {}).get("SerializationLibrary") or "")
    return "," if library.endswith("OpenCSVSerde") else _DEFAULT_DELIMITER
