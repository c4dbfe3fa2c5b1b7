"""Outcomes as they lie in the environment's bucket: JSON Lines in ``outcomes/ENDPOINT/NAME/yyyy/mm/dd/hh/``, by the
hour in which they became known, as SageMaker's Model Monitor wants its Ground Truth. The name of a file says when:
minute, second, millisecond, and a digest of what is in it.

Nothing is written twice over: whoever publishes the same again adds a file that says the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from mlops.account import Account
from mlops.deploy import conditional_object
from mlops.deploy.outcomes.naming import is_name
from mlops.deploy.outcomes.right import is_not_finite
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

FOLDER = "outcomes"
_ID = re.compile(r"[\x20-\x7e]{1,64}")
"""As InvokeEndpoint takes one (botocore: InferenceId)."""
_LONGEST = 1024
_FILE_LINES = 50_000
_IN_FILE_NAME = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)/(\d\d)-(\d\d)-(\d{3})-[^/]*$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the request with ``inference_id``. Raises UsageError for what cannot be joined or read."""

    inference_id: str
    name: str
    value: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.inference_id):
            raise UsageError(
                f"{self.inference_id[:80]!r} is no inference id: 1 to 64 printable letters of ASCII",
                hint="give the request an InferenceId of its own, and its outcome the same",
            )
        if not is_name(self.name):
            raise UsageError(f"{self.name[:80]!r} is no name of an outcome: letters, digits, `_`, `.` and `-`")
        if not self.value or len(self.value) > _LONGEST:
            raise UsageError(f"the {self.name} of {self.inference_id} is empty, or longer than {_LONGEST} letters")


def said(value: str | float | bool) -> str:
    """A value as it is written. Raises UsageError for a number that is none."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{value} is no outcome: a finite number or a text is")
    if isinstance(value, str) and is_not_finite(value):
        raise UsageError(f"{value.strip()!r} is no outcome: leave it out where nothing is known")
    return value.strip() if isinstance(value, str) else repr(value)


def publish(
    account: Account, environment: Environment, endpoint: str, outcomes: Iterable[Outcome], at: datetime
) -> int:
    """How many were written, as known since ``at``."""
    of_names: dict[str, dict[str, str]] = {}
    count = 0
    for outcome in outcomes:
        of_names.setdefault(outcome.name, {})[outcome.inference_id] = outcome.value
        count += 1
    s3 = account.client("s3")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": environment.kms_key} if environment.kms_key else {}
    for name, values in of_names.items():
        lines = [_line(identity, value) for identity, value in values.items()]
        for start in range(0, len(lines), _FILE_LINES):
            content = "".join(lines[start : start + _FILE_LINES]).encode()
            key = f"{folder(environment, endpoint, name, at)}/{_file_name(content, at)}"
            s3.put_object(Bucket=environment.bucket, Key=key, Body=content, **encryption)
    return count


def folder(environment: Environment, endpoint: str, name: str, at: datetime) -> str:
    hour = at.astimezone(UTC)
    return conditional_object.key(environment, FOLDER, endpoint, name, f"{hour:%Y/%m/%d/%H}")


def prefix_of(environment: Environment, endpoint: str) -> str:
    """The URI below which all outcomes of an endpoint's requests lie."""
    return f"s3://{environment.bucket}/{conditional_object.key(environment, FOLDER, endpoint)}/"


def hours(since: float, until: float) -> Iterator[datetime]:
    """Whose folders may hold what became known between the two, in seconds since 1970."""
    hour = datetime.fromtimestamp(since, UTC).replace(minute=0, second=0, microsecond=0)
    while hour.timestamp() <= until:
        yield hour
        hour += timedelta(hours=1)


def known_at(key: str, modified: datetime) -> float:
    """By the file's name; by the object's time where somebody else has named it.

    >>> known_at("outcomes/churn/label/2023/11/14/22/13-20-500-0b1e.jsonl", datetime.now(UTC))
    1700000000.5
    """
    found = _IN_FILE_NAME.search(key)
    if found is None:
        return modified.timestamp()
    *parts, millisecond = map(int, found.groups())
    try:
        return datetime(*parts, millisecond * 1000, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]
    except ValueError:
        return modified.timestamp()


def parsed(line: str) -> tuple[str, str]:
    """Inference id and value. Raises ValueError for what is no line of Ground Truth."""
    told = json.loads(line)
    try:
        return str(told["eventMetadata"]["eventId"]), str(told["groundTruthData"]["data"]).strip()
    except (KeyError, TypeError):
        raise ValueError("no Ground Truth") from None


def _line(identity: str, value: str) -> str:
    told = {
        "groundTruthData": {"data": value, "encoding": "CSV"},
        "eventMetadata": {"eventId": identity},
        "eventVersion": "0",
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n"


def _file_name(content: bytes, at: datetime) -> str:
    moment = at.astimezone(UTC)
    return f"{moment:%M-%S}-{moment.microsecond // 1000:03}-{hashlib.sha256(content).hexdigest()[:12]}.jsonl"
