"""Tables of the Glue catalog as files of rows: what their places in S3 hold, in a form that is queried here."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.glue import tables
from mlops.account.local.state import State
from mlops.ir.s3_uri import split_uri
from mlops.run.outcome import StepFailed

_FORMS = ("parquet", "orc", "json")
_DEFAULT_DELIMITER, _NULL = "\x01", "\\N"
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
        if "/" in table["Name"] or table["Name"] in (".", ".."):
            raise StepFailed(
                f"the table {table['Name']} of {database} has a name that no folder has, where it is to lie"
            )
        target = folder / table["Name"]
        target.mkdir(parents=True, exist_ok=True)
        names = [column["Name"] for column in storage.get("Columns") or ()]
        bucket, key = split_uri(place)
        beginning = f"{key.rstrip('/')}/" if key else ""
        for number, found in enumerate(state.objects.list(bucket, beginning)):
            with state.objects.open(bucket, found.key) as (_, file):
                content = file.read()
            try:
                if found.key.endswith(".gz"):
                    content = gzip.decompress(content)
                ending, rows = _rows(content, names, table, storage)
            except (OSError, EOFError, ValueError, zlib.error, csv.Error) as fault:
                raise StepFailed(f"s3://{bucket}/{found.key}, of the table {table['Name']}: {fault}") from None
            if content:
                (target / f"{number}{ending}").write_bytes(rows)
        if not any(target.iterdir()):
            (target / "none.csv").write_text(_text([names]))
    return folder


def _tables(state: State, database: str) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {"DatabaseName": database}
    while True:
        page = tables.get_tables(state, request)
        yield from page["TableList"]
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _rows(
    content: bytes, names: Sequence[str], table: Mapping[str, Any], storage: Mapping[str, Any]
) -> tuple[str, bytes]:
    """The end of a file's name, and what is in it: text with a line of names."""
    form = _form(table, storage)
    if form is not None:
        return f".{form}", content
    lines = _separated(content.decode("utf-8"), storage.get("SerdeInfo") or {})
    skipped = int((table.get("Parameters") or {}).get("skip.header.line.count") or 0)
    return ".csv", _text([names, *lines[max(skipped, 0) :]]).encode()


def _separated(text: str, serde: Mapping[str, Any]) -> list[list[str]]:
    """Rows as the table's class reads them: one alone knows quotes, the other has a word for nothing."""
    parameters = serde.get("Parameters") or {}
    if str(serde.get("SerializationLibrary") or "").endswith("OpenCSVSerde"):
        separator, quote = parameters.get("separatorChar") or ",", parameters.get("quoteChar") or '"'
        if len(separator) != 1 or len(quote) != 1:
            raise ValueError(f"OpenCSVSerde separates and quotes by one character, not by {separator!r} and {quote!r}")
        return [*csv.reader(StringIO(text), delimiter=separator, quotechar=quote)]
    delimiter = parameters.get("field.delim") or _DEFAULT_DELIMITER
    lines = text.removesuffix("\n").split("\n") if text else []
    return [["" if cell == _NULL else cell for cell in line.removesuffix("\r").split(delimiter)] for line in lines]


def _text(rows: Sequence[Sequence[str]]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


def _form(table: Mapping[str, Any], storage: Mapping[str, Any]) -> str | None:
    """None of separated text."""
    classified = (table.get("Parameters") or {}).get("classification")
    said = [classified, (storage.get("SerdeInfo") or {}).get("SerializationLibrary"), storage.get("InputFormat")]
    words = " ".join(str(word).lower() for word in said if word)
    return next((form for form in _FORMS if form in words), None)
