"""The rows that a DatasetDefinition asks for, of what stands for its database on this machine: of a file as they are,
of a folder of tables by its query, which duckdb answers."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.knowledge.datasets import NEITHER, READ, Asked, asked, missing_here, not_declared, unwritable
from mlops.run.outcome import StepFailed
from mlops.run.ports import ObjectMissing, Objects

StandIn = Callable[[str, Path], Path | None]
"""The file or folder that stands for a database; None without one. What has to be brought for it goes into a folder."""

_BLOCK = 1024 * 1024
_ENDS = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst"}
_TEXT_DELIMITER = "\x01"
"""Athena's, where a TEXTFILE is given no other."""


def brought(definition: Mapping[str, Any], stand_in: StandIn | None, objects: Objects, folder: Path, what: str) -> str:
    """Write the rows below OutputS3Uri, as the service does, and answer the object's URI. ``folder`` is for files on
    the way. Raises StepFailed."""
    found = asked(definition)
    if found is None:
        raise StepFailed(f"{what}: {NEITHER}")
    for _, said in unwritable(found):
        raise StepFailed(f"{what}: {said}")
    place = stand_in(found.database, folder) if stand_in is not None and found.database else None
    if place is None:
        raise StepFailed(f"{what}: {not_declared(found)}")
    if (lacking := missing_here()) is not None:
        raise StepFailed(f"{what}: {lacking}")
    target = str(found.settings.get("OutputS3Uri") or "")
    if not target.startswith("s3://"):
        raise StepFailed(f"{what}: OutputS3Uri is {target!r}, not an s3:// URI")
    rows = _read(place, what) if place.is_file() else _queried(found, place, folder, what)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"rows{_ending(found)}"
    _write(rows, file, found, what)
    uri = place_of_rows(definition)
    try:
        objects.put(_blocks(file), uri)
    except ObjectMissing as nowhere:
        raise StepFailed(f"{what}: {nowhere}") from None
    finally:
        file.unlink()
    return uri


def place_of_rows(definition: Mapping[str, Any]) -> str:
    """The object's URI, once they are :func:`brought`."""
    found = asked(definition)
    return f"{str(found.settings['OutputS3Uri']).rstrip('/')}/rows{_ending(found)}" if found is not None else ""


def _queried(found: Asked, place: Path, folder: Path, what: str) -> Any:
    """In a database of its own, which reaches no file and no network once its tables are there: a definition may be
    anybody's."""
    import duckdb

    database = found.database or ""
    catalog, schema = (
        (str(found.settings.get("Catalog") or "AwsDataCatalog"), database)
        if found.service == "Athena"
        else (database, "public")
    )
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"temp_directory": str(folder / "duckdb"), "autoload_known_extensions": "false"}
    try:
        with duckdb.connect(":memory:", config={**settings, "autoinstall_known_extensions": "false"}) as connection:
            connection.execute(f"ATTACH ':memory:' AS {_quoted(catalog)}")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(catalog)}.{_quoted(schema)}")
            for table, files in _tables(place):
                connection.register("mlops_rows", _joined([_read(file, what) for file in files]))
                named = ".".join(map(_quoted, (catalog, schema, table)))
                connection.execute(f"CREATE TABLE {named} AS SELECT * FROM mlops_rows")  # noqa: S608 - names are quoted
                connection.unregister("mlops_rows")
            connection.execute(f"USE {_quoted(catalog)}.{_quoted(schema)}")
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            query = str(found.settings.get("QueryString"))
            if [statement.type for statement in duckdb.extract_statements(query)] == [duckdb.StatementType.SELECT]:
                return connection.sql(query).to_arrow_table()
    except duckdb.Error as error:
        said = " ".join(str(error).split())
        raise StepFailed(
            f"{what}: duckdb, which stands for {found.service} here, does not answer the query on {place}: {said}. "
            "For what its SQL has not, a file of the rows can stand in place of the folder"
        ) from None
    raise StepFailed(f"{what}: the query is to be one SELECT")


def _tables(place: Path) -> Iterator[tuple[str, list[Path]]]:
    """By name: a file, or a folder with files of rows."""
    for item in sorted(place.iterdir()):
        if item.is_file() and item.suffix in READ:
            yield item.stem, [item]
        elif item.is_dir() and (inside := sorted(file for file in item.rglob("*") if file.suffix in READ)):
            yield item.name, inside


def _joined(tables: list[Any]) -> Any:
    import pyarrow

    return tables[0] if len(tables) == 1 else pyarrow.concat_tables(tables, promote_options="default")


def _read(file: Path, what: str) -> Any:
    from pyarrow import ArrowException, orc, parquet
    from pyarrow import csv as csv_files
    from pyarrow import json as json_files

    readers: Mapping[str, Callable[[Path], Any]] = {
        ".csv": csv_files.read_csv,
        ".json": json_files.read_json,
        ".jsonl": json_files.read_json,
        ".orc": orc.read_table,
        ".parquet": parquet.read_table,
    }
    reader = readers.get(file.suffix)
    if reader is None:
        raise StepFailed(f"{what}: {file} is none of {', '.join(sorted(READ))}")
    try:
        return reader(file)
    except (ArrowException, OSError) as error:
        raise StepFailed(f"{what}: {file} cannot be read: {' '.join(str(error).split())}") from None


def _ending(found: Asked) -> str:
    form, packed = str(found.settings["OutputFormat"]), found.settings.get("OutputCompression")
    if form in ("PARQUET", "ORC"):
        return f".{form.lower()}"
    return {"JSON": ".json", "TEXTFILE": ".txt", "CSV": ".csv"}[form] + _ENDS.get(packed or "", "")


def _write(rows: Any, file: Path, found: Asked, what: str) -> None:
    """As the service's own have it: text has no line of names, JSON is a row a line."""
    import pyarrow
    from pyarrow import orc, parquet

    form, packed = str(found.settings["OutputFormat"]), found.settings.get("OutputCompression")
    twice = [name for name, count in Counter(rows.column_names).items() if count > 1]
    if twice and form not in _TEXTS_WITHOUT_NAMES:
        raise StepFailed(
            f"{what}: several columns are called {twice[0]}, which {form} cannot keep apart: name them by AS"
        )
    try:
        if form == "PARQUET":
            parquet.write_table(rows, file, compression="none" if packed in (None, "None") else packed.lower())
            return
        if form == "ORC":
            orc.write_table(rows, file, compression=(packed or "UNCOMPRESSED").lower())
            return
    except pyarrow.ArrowException as error:
        said = " ".join(str(error).split())
        raise StepFailed(f"{what}: the rows cannot be written as {form} here: {said}; a CAST may help") from None
    codec = {"GZIP": "gzip", "BZIP2": "bz2", "ZSTD": "zstd"}.get(packed or "")
    with pyarrow.output_stream(file, compression=codec) as stream:
        for batch in rows.to_batches():
            if form in _TEXTS_WITHOUT_NAMES:
                columns = [column.to_pylist() for column in batch.columns]
                stream.write(_TEXTS_WITHOUT_NAMES[form](zip(*columns, strict=True)).encode())
            else:
                stream.write(_json(batch.to_pylist()).encode())


def _json(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, default=str)}\n" for row in rows)


def _csv(rows: Iterable[tuple[Any, ...]]) -> str:
    """As UNLOAD of Redshift: quotes where they are needed, t and f, nothing for NULL.

    >>> _csv([(1, "x,y", True, None)])
    '1,"x,y",t,\\n'
    """
    text = io.StringIO()
    truth = {True: "t", False: "f"}
    told = ([truth[value] if isinstance(value, bool) else value for value in row] for row in rows)
    csv.writer(text, lineterminator="\n").writerows(told)
    return text.getvalue()


def _textfile(rows: Iterable[tuple[Any, ...]]) -> str:
    """As Athena, which has Hive's form.

    >>> _textfile([(1, "x,y", True, None)])
    '1\\x01x,y\\x01true\\x01\\\\N\\n'
    """
    return "".join(f"{_TEXT_DELIMITER.join(map(_in_hive, row))}\n" for row in rows)


def _in_hive(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return r"\N" if value is None else str(value)


_TEXTS_WITHOUT_NAMES: Mapping[str, Callable[[Iterable[tuple[Any, ...]]], str]] = {"CSV": _csv, "TEXTFILE": _textfile}
"""Two columns of one name are two columns there."""


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            yield block


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
