"""JSON records as Parquet or ORC, by the columns of a table of Glue. pyarrow writes them.

A record is one JSON object, or several behind one another. What is not in the table is left out, what a record has not
is null; a value that a column cannot hold fails its record.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any, TypeAlias

from mlops.account.local.delivery import timestamps
from mlops.account.local.objects import chunks
from mlops.ir.dataclass import dataclass

MALFORMED, UNFIT = "DataFormatConversion.MalformedData", "DataFormatConversion.ParseError"
_ROWS = 10_000
_IN_MEMORY = 256 * 1024
_LARGEST_SECONDS = 100_000_000_000
"""A larger number is a time in milliseconds."""
_INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_SIMPLE = re.compile(r"[a-z]+")
_DECIMAL = re.compile(r"decimal(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_LENGTH = re.compile(r"(?:var)?char\(\s*\d+\s*\)")
_NAME = re.compile(r"[^:<>,]+")
_SQL_TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,9})?")
_EXACT = Context(prec=76)
"""More digits than a column can have: Python's own context stops at 28."""
Convert: TypeAlias = Callable[[Any], Any]


class Unfit(Exception):
    """A record that cannot be a row; ``code`` is the service's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadSchema(Exception):
    """Columns that cannot be written."""


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is pyarrow's."""

    name: str
    type: Any
    convert: Convert


@dataclass(frozen=True, slots=True)
class Format:
    """How objects are written. ``keys`` are those of JSON by column, where they are others; with ``lower`` it is all
    the same in which case they are; ``dots`` in them become underscores."""

    orc: bool
    compression: str
    columns: tuple[Column, ...]
    keys: Mapping[str, str]
    lower: bool
    dots: bool


def installed() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def format_of(given: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> Format:
    """``given`` is a stream's DataFormatConversionConfiguration, ``columns`` are the table's. Raises BadSchema."""
    serializer = given["OutputFormatConfiguration"]["Serializer"]
    orc = "OrcSerDe" in serializer
    settings = serializer.get("OrcSerDe" if orc else "ParquetSerDe") or {}
    deserializer = given["InputFormatConfiguration"]["Deserializer"]
    openx = deserializer.get("OpenXJsonSerDe") or {}
    times = _timestamp if "HiveJsonSerDe" not in deserializer else _hive_times(deserializer["HiveJsonSerDe"] or {})
    if not columns:
        raise BadSchema("the table has no columns")
    return Format(
        orc,
        str(settings.get("Compression") or "SNAPPY").lower(),
        tuple(Column(item["Name"], *typed(item.get("Type") or "string", times)) for item in columns),
        dict(openx.get("ColumnToJsonKeyMappings") or {}),
        bool(openx.get("CaseInsensitive", True)),
        bool(openx.get("ConvertDotsInJsonKeysToUnderscores")),
    )


def typed(text: str, times: Convert | None = None) -> tuple[Any, Convert]:
    """pyarrow's type of one of Hive's, and what makes a value of JSON one of it; ``times`` does of timestamps. Raises
    BadSchema."""
    found, convert, rest = _typed(text.strip().lower(), times or _timestamp)
    if rest:
        raise BadSchema(f"{text!r} is no type that is known here")
    return found, convert


def _typed(text: str, times: Convert) -> tuple[Any, Convert, str]:
    """And what stands behind it."""
    arrow = importlib.import_module("pyarrow")
    if (found := _DECIMAL.match(text)) is not None:
        precision, scale = int(found[1] or 10), int(found[2] or 0)
        made = arrow.decimal128(precision, scale) if 0 < precision <= 38 and scale <= precision else None
        if made is None:
            raise BadSchema(f"{found[0]!r} is no type that is known here")
        return made, lambda value: _decimal(value, precision, scale), text[found.end() :]
    if (found := _LENGTH.match(text)) is not None:
        return arrow.string(), _text, text[found.end() :]
    name = _SIMPLE.match(text)
    if name is None:
        raise BadSchema(f"{text!r} is no type that is known here")
    rest = text[name.end() :].lstrip()
    match name[0]:
        case "string" | "varchar" | "char":
            return arrow.string(), _text, rest
        case "boolean":
            return arrow.bool_(), _boolean, rest
        case "double" | "float":
            return arrow.float64() if name[0] == "double" else arrow.float32(), _number, rest
        case "timestamp":
            return arrow.timestamp("ms"), times, rest
        case "date":
            return arrow.date32(), _date, rest
        case "binary":
            return arrow.binary(), lambda value: _text(value).encode(), rest
        case "array" | "map" | "struct" if rest.startswith("<"):
            return _nested(arrow, name[0], rest[1:], times)
        case _ if name[0] in _INTEGERS:
            bits = _INTEGERS[name[0]]
            return getattr(arrow, f"int{bits}")(), lambda value: _integer(value, bits), rest
    raise BadSchema(f"{name[0]!r} is no type that is known here")


def _nested(arrow: Any, kind: str, text: str, times: Convert) -> tuple[Any, Convert, str]:
    if kind == "array":
        item, convert, rest = _typed(text.strip(), times)
        return arrow.list_(item), lambda value: _list(value, convert), _closed(rest)
    if kind == "map":
        key, of_key, rest = _typed(text.strip(), times)
        item, convert, rest = _typed(_after(rest, ",").strip(), times)
        return arrow.map_(key, item), lambda value: _map(value, of_key, convert), _closed(rest)
    fields: dict[str, tuple[Any, Convert]] = {}
    rest = text.strip()
    while True:
        name = _NAME.match(rest)
        if name is None:
            raise BadSchema(f"a struct has a field without a name: {rest!r}")
        item, convert, rest = _typed(_after(rest[name.end() :], ":").strip(), times)
        fields[name[0].strip()] = item, convert
        rest = rest.lstrip()
        if not rest.startswith(","):
            break
        rest = rest[1:].lstrip()
    made = arrow.struct([(field, item) for field, (item, _) in fields.items()])
    converts = {field: convert for field, (_, convert) in fields.items()}
    return made, lambda value: _struct(value, converts), _closed(rest)


def _after(text: str, mark: str) -> str:
    if not text.lstrip().startswith(mark):
        raise BadSchema(f"{mark!r} is wanted before {text!r}")
    return text.lstrip()[1:]


def _closed(text: str) -> str:
    return _after(text, ">").lstrip()


def _text(value: Any) -> str:
    told = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    told.encode()  # half of a letter is none, and would be told by the writer for all rows at once
    return told


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("no boolean")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no number")
    return float(value)


def _integer(value: Any, bits: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no integer")
    found = int(value)
    if (isinstance(value, float) and found != value) or not -(2 ** (bits - 1)) <= found < 2 ** (bits - 1):
        raise ValueError(f"no integer of {bits} bits")
    return found


def _decimal(value: Any, precision: int, scale: int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no decimal")
    try:
        found = Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    except InvalidOperation:
        raise ValueError("no decimal") from None
    if not found.is_finite():
        raise ValueError("no decimal")
    if len(found.as_tuple().digits) > precision:
        raise ValueError(f"no decimal of {precision} digits")
    return found


def _timestamp(value: Any) -> datetime:
    """``yyyy-MM-dd HH:mm:ss``, ISO 8601, or seconds or milliseconds since 1970; without a zone in the table, in UTC."""
    if isinstance(value, str):
        found = datetime.fromisoformat(value.strip())
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo is not None else found
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no time")
    seconds = value / 1000 if abs(value) >= _LARGEST_SECONDS else value
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _hive_times(asked: Mapping[str, Any]) -> Convert:
    """By its patterns, one after the other, and then as ``java.sql.Timestamp.valueOf`` reads. Raises BadSchema."""
    try:
        readers = [timestamps.reader(pattern) for pattern in asked.get("TimestampFormats") or ()]
    except ValueError as error:
        raise BadSchema(f"TimestampFormats: {error}") from None

    def read(value: Any) -> datetime:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError("no time")
        text = str(value).strip()
        for reader in readers:
            try:
                return reader(text)
            except (ValueError, OverflowError):
                continue
        if _SQL_TIME.fullmatch(text) is None:
            raise ValueError("no time")
        day, _, clock = text.partition(" ")
        year, month, date_ = map(int, day.split("-"))
        hour, minute, second = map(int, clock.strip().partition(".")[0].split(":"))
        microsecond = int(clock.partition(".")[2][:6].ljust(6, "0"))
        return datetime(year, month, date_, hour, minute, second, microsecond)

    return read


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError("no date")
    return date.fromisoformat(value.strip()[:10])


def _list(value: Any, convert: Convert) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("no array")
    return [None if item is None else convert(item) for item in value]


def _map(value: Any, of_key: Convert, convert: Convert) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise ValueError("no map")
    return [(of_key(key), None if item is None else convert(item)) for key, item in value.items()]


def _struct(value: Any, converts: Mapping[str, Convert]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no struct")
    lowered = {str(key).lower(): item for key, item in value.items()}
    return {
        field: None if lowered.get(field) is None else convert(lowered[field]) for field, convert in converts.items()
    }


def rows(format_: Format, data: bytes) -> list[list[Any]]:
    """Of a record: the values of each of its objects. Raises :class:`Unfit`."""
    try:
        text, decoder, at, found = data.decode(), json.JSONDecoder(), 0, list[Any]()
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            value, at = decoder.raw_decode(text, at)
            found.append(value)
    except (ValueError, RecursionError) as error:
        raise Unfit(MALFORMED, f"Record is not valid JSON: {error}") from None
    if not found or not all(isinstance(value, dict) for value in found):
        raise Unfit(MALFORMED, "A record is a JSON object, or several: an array or a plain value is none.")
    return [_row(format_, value) for value in found]


def _row(format_: Format, value: Mapping[str, Any]) -> list[Any]:
    known = {_key(format_, key): item for key, item in value.items()}
    told = []
    for column in format_.columns:
        item = known.get(_key(format_, format_.keys.get(column.name, column.name)))
        try:
            told.append(None if item is None else column.convert(item))
        except (ValueError, OverflowError, OSError, RecursionError) as error:
            raise Unfit(UNFIT, f"The column {column.name} ({column.type}) cannot be read: {error}") from None
    return told


def _key(format_: Format, key: str) -> str:
    told = key.replace(".", "_") if format_.dots else key
    return told.lower() if format_.lower else told


class Columns:
    """The content of one object."""

    def __init__(self, format_: Format, folder: Path) -> None:
        self.size = 0
        self._format = format_
        arrow = importlib.import_module("pyarrow")
        self._schema = arrow.schema([(column.name, column.type) for column in format_.columns])
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115
        self._writer = self._begun()
        self._rows: list[list[Any]] = []

    def _begun(self) -> Any:
        if self._format.orc:
            writer = importlib.import_module("pyarrow.orc").ORCWriter
            compression = {"none": "uncompressed"}.get(self._format.compression, self._format.compression)
            return writer(self._file, compression=compression)
        writer = importlib.import_module("pyarrow.parquet").ParquetWriter
        compression = {"uncompressed": "none"}.get(self._format.compression, self._format.compression)
        return writer(self._file, self._schema, compression=compression)

    def add(self, data: bytes) -> None:
        """Raises :class:`Unfit` before anything of the record is kept."""
        self._rows += rows(self._format, data)
        self.size += len(data)
        if len(self._rows) >= _ROWS:
            self._flush()

    def content(self) -> Iterator[bytes]:
        self._flush()
        self._writer.close()
        with self._file as file:
            file.seek(0)
            yield from chunks(file)

    def _flush(self) -> None:
        if not self._rows:
            return
        arrow = importlib.import_module("pyarrow")
        values = list(zip(*self._rows, strict=True))
        arrays = [arrow.array(held, field.type) for held, field in zip(values, self._schema, strict=True)]
        table = arrow.Table.from_arrays(arrays, schema=self._schema)
        if self._format.orc:
            self._writer.write(table)
        else:
            self._writer.write_table(table)
        self._rows = []
