"""Names of the objects that a stream writes: a prefix with expressions, the stream, its version, a time, an id.

Source: "Understand custom prefixes for Amazon S3 objects" of Data Firehose's guide.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value

CAPTURES = "mlops:captures"
"""A tag of the local account: the endpoint whose captured requests a stream takes."""
PROCESSING_FAILED = "processing-failed"
CONVERSION_FAILED = "format-conversion-failed"
HTTP_FAILED = "http-endpoint-failed"
OPENSEARCH_FAILED = "AmazonOpenSearchService-failed"
_FOLDERS = {OPENSEARCH_FAILED: "AmazonOpenSearchService_failed"}
"""What the service calls the folder of a kind where no expression says it, where that is another word."""
LONGEST_PREFIX = 512
"""Evaluated."""
QUERY, FUNCTION = "partitionKeyFromQuery", "partitionKeyFromLambda"
_DATE = "!{timestamp:yyyy/MM/dd/HH/}"
_ERROR_TYPE, _RANDOM = "error-output-type", "random-string"
_EXPRESSION = re.compile(r"!\{([A-Za-z-]*):([^}]*)\}")
_LETTERS = string.ascii_letters + string.digits
_RANDOM_LENGTH = 11
_SAMPLE = datetime(2018, 7, 9, 23, 4, 5, 6000, UTC)


class BadPrefix(Exception):
    """A prefix that no object can have; the text says why."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``!{namespace:value}``"""

    namespace: str
    value: str


def expressions(prefix: str) -> list[Expression]:
    """
    >>> expressions("a/!{timestamp:yyyy}/!{firehose:random-string}/")
    [Expression(namespace='timestamp', value='yyyy'), Expression(namespace='firehose', value='random-string')]
    """
    return [Expression(found[1], found[2]) for found in _EXPRESSION.finditer(prefix)]


def judge(prefix: str, error_prefix: str, *, partitioned: bool) -> None:
    """What the service says of the two when a stream is made. Raises :class:`BadPrefix`."""
    for text in (prefix, error_prefix):
        if "!{" in _EXPRESSION.sub("", text):
            raise BadPrefix(f"Malformed expression in {text!r}: an expression is !{{namespace:value}}")
    used, of_errors = expressions(prefix), expressions(error_prefix)
    for item in (*used, *of_errors):
        _judge_one(item)
    if used and not error_prefix:
        raise BadPrefix("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions")
    if any(item.value == _ERROR_TYPE for item in used):
        raise BadPrefix("Prefix cannot contain !{firehose:error-output-type}")
    keys = [item for item in used if item.namespace in (QUERY, FUNCTION)]
    if any(item.namespace in (QUERY, FUNCTION) for item in of_errors):
        raise BadPrefix("ErrorOutputPrefix cannot contain expressions of partition keys")
    if of_errors and not any(item.value == _ERROR_TYPE for item in of_errors):
        raise BadPrefix("ErrorOutputPrefix must contain !{firehose:error-output-type} when it contains expressions")
    if keys and not partitioned:
        raise BadPrefix("Prefix contains expressions of partition keys, and dynamic partitioning is not enabled")
    if partitioned and not keys:
        raise BadPrefix("Prefix must contain expressions of partition keys when dynamic partitioning is enabled")
    # What is too long with the shortest keys is so with all: no object of the stream could be written.
    shortest = {space: {item.value: "-" for item in keys if item.namespace == space} for space in (QUERY, FUNCTION)}
    naming = Naming("", "", uuid.UUID(int=0), prefix, error_prefix)
    naming.object("", 0, shortest)
    naming.failed(PROCESSING_FAILED, "", 0)


def _judge_one(item: Expression) -> None:
    match item.namespace:
        case "timestamp":
            formatted(item.value, _SAMPLE)
        case "firehose" if item.value in (_ERROR_TYPE, _RANDOM):
            pass
        case "partitionKeyFromQuery" | "partitionKeyFromLambda" if item.value:
            pass
        case _:
            raise BadPrefix(f"Unknown expression !{{{item.namespace}:{item.value}}}")


@dataclass(frozen=True, slots=True)
class Naming:
    """Of one stream's objects. ``incarnation`` is an id of the stream: what is delivered twice, since nobody knew that
    it was delivered, gets the same name and replaces itself."""

    stream: str
    version: str
    incarnation: uuid.UUID
    prefix: str = ""
    error_prefix: str = ""
    extension: str = ""
    zone: str = "UTC"

    def object(self, place: str, arrived: int, keys: Mapping[str, Mapping[str, Value]] | None = None) -> str:
        """``place`` tells one object from another; ``arrived`` is the time of its oldest record, in milliseconds;
        ``keys`` are partition keys by namespace."""
        return self._key(dated(self.prefix), place, arrived, self.extension, keys or {}, "")

    def failed(self, kind: str, place: str, arrived: int) -> str:
        """Of records that could not be delivered."""
        prefix = self.error_prefix or ("" if expressions(self.prefix) else self.prefix)
        if not expressions(prefix):
            prefix += f"{_FOLDERS[kind]}/" if kind in _FOLDERS else "!{firehose:error-output-type}/"
        return self._key(dated(prefix), f"{place}/{kind}", arrived, "", {}, kind)

    def _key(
        self,
        prefix: str,
        place: str,
        arrived: int,
        extension: str,
        keys: Mapping[str, Mapping[str, Value]],
        kind: str,
    ) -> str:
        """Raises :class:`BadPrefix` where it is too long, or a key is missing."""
        at = datetime.fromtimestamp(arrived / 1000, UTC).astimezone(_zone(self.zone))
        number = uuid.uuid5(self.incarnation, place)
        evaluated = evaluate(prefix, at, keys, kind, number.int)
        if len(evaluated) > LONGEST_PREFIX:
            raise BadPrefix(f"the evaluated prefix is longer than {LONGEST_PREFIX} characters")
        return f"{evaluated}{self.stream}-{self.version}-{at:%Y-%m-%d-%H-%M-%S}-{number}{extension}"


def dated(prefix: str) -> str:
    """With a date where it has none.

    >>> dated("logs/")
    'logs/!{timestamp:yyyy/MM/dd/HH/}'
    """
    return prefix if any(item.namespace == "timestamp" for item in expressions(prefix)) else prefix + _DATE


def evaluate(prefix: str, at: datetime, keys: Mapping[str, Mapping[str, Value]], kind: str = "", seed: int = 0) -> str:
    """
    >>> evaluate("a/!{timestamp:yyyy/MM}/!{partitionKeyFromQuery:k}/", _SAMPLE, {QUERY: {"k": "x"}})
    'a/2018/07/x/'
    """
    letters = random.Random(seed)  # noqa: S311 - no secret, and the same for what is delivered again

    def value(found: re.Match[str]) -> str:
        namespace, name = found[1], found[2]
        match namespace:
            case "timestamp":
                return formatted(name, at)
            case "firehose":
                return kind if name == _ERROR_TYPE else "".join(letters.choices(_LETTERS, k=_RANDOM_LENGTH))
        given = keys.get(namespace, {}).get(name)
        if given is None or given == "":
            raise BadPrefix(f"there is no partition key {name}")
        return str(given)

    return _EXPRESSION.sub(value, prefix)


_FIELDS: Mapping[str, Callable[[datetime], str]] = {
    **dict.fromkeys(("yyyy", "uuuu", "YYYY", "y", "u"), lambda at: f"{at.year:04}"),
    **dict.fromkeys(("yy", "uu"), lambda at: f"{at.year % 100:02}"),
    "M": lambda at: str(at.month), "MM": lambda at: f"{at.month:02}",
    "MMM": lambda at: f"{at:%b}", "MMMM": lambda at: f"{at:%B}",
    "d": lambda at: str(at.day), "dd": lambda at: f"{at.day:02}",
    "D": lambda at: str(at.timetuple().tm_yday), "DDD": lambda at: f"{at:%j}",
    "H": lambda at: str(at.hour), "HH": lambda at: f"{at.hour:02}",
    "h": lambda at: str(at.hour % 12 or 12), "hh": lambda at: f"{at.hour % 12 or 12:02}",
    "m": lambda at: str(at.minute), "mm": lambda at: f"{at.minute:02}",
    "s": lambda at: str(at.second), "ss": lambda at: f"{at.second:02}",
    "S": lambda at: str(at.microsecond // 100_000), "SS": lambda at: f"{at.microsecond // 10_000:02}",
    "SSS": lambda at: f"{at.microsecond // 1000:03}",
    "a": lambda at: "AM" if at.hour < 12 else "PM",
    **dict.fromkeys(("E", "EE", "EEE"), lambda at: f"{at:%a}"), "EEEE": lambda at: f"{at:%A}",
}  # fmt: skip
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


@lru_cache(maxsize=4096)
def formatted(pattern: str, at: datetime) -> str:
    """By a pattern of Java's DateTimeFormatter. Raises :class:`BadPrefix` for letters that are not read here.

    >>> formatted("'year='yyyy/MMM-dd'T'HH:mm", datetime(2018, 7, 9, 23, 4))
    'year=2018/Jul-09T23:04'
    """
    told, end = "", 0
    for found in _PIECE.finditer(pattern):
        if found.start() != end:
            break
        end = found.end()
        if found[1] is not None:
            told += found[1].replace("''", "'") or "'"
        elif found[2] is None:
            told += found[0]
        elif found[0] in _FIELDS:
            told += _FIELDS[found[0]](at)
        else:
            raise BadPrefix(f"the letters {found[0]!r} of the timestamp pattern {pattern!r} are not known here")
    if end != len(pattern):
        raise BadPrefix(f"the timestamp pattern {pattern!r} has a quote that does not end")
    return told


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
