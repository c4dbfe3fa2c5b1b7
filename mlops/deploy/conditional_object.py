"""Small objects in the environment's bucket that are replaced under the condition that nobody else did meanwhile
(If-Match, If-None-Match): which of two writers goes on is decided by the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mlops.account import Account
from mlops.account.missing import error_code, unless_missing
from mlops.ir import AccountError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment


class BucketMissing(AccountError):
    """The environment's bucket is not there, so nothing was ever written from it."""


class Conflict(Exception):
    """Another write was faster; this one wrote nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """``age`` in seconds, by the account's clock where it tells one."""

    content: bytes
    etag: str
    age: float


def key(environment: Environment, *parts: str) -> str:
    """Below the environment's prefix."""
    return "/".join(filter(None, (environment.prefix, *parts)))


def get(account: Account, environment: Environment, name: str) -> Found | None:
    """Raises BucketMissing."""
    s3 = account.client("s3")

    def asked() -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = s3.get_object(Bucket=environment.bucket, Key=name)
        except Exception as error:
            if error_code(error) == "NoSuchBucket":
                raise BucketMissing(
                    f"the bucket {environment.bucket} is not there", hint="create it, or correct `bucket` in mlops.toml"
                ) from None
            raise
        return found

    reply = unless_missing(asked)
    if reply is None:
        return None
    now = _date(reply) or datetime.now(UTC)
    return Found(reply["Body"].read(), str(reply["ETag"]), (now - reply["LastModified"]).total_seconds())


def unreadable(environment: Environment, name: str, *, hint: str | None = None) -> Refusal:
    """What was found there is nothing that its reader knows."""
    return Refusal(
        f"s3://{environment.bucket}/{name} cannot be read: it is of another version of mlops, or none of its own",
        hint=hint,
    )


def put(account: Account, environment: Environment, name: str, content: bytes, replaces: str | None) -> str:
    """The new ETag. ``replaces`` is that of what was read, None where there was nothing. Raises Conflict, also where
    this write succeeded and its answer was lost: botocore repeats it then, and the repetition is refused."""
    condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces}
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": environment.kms_key} if environment.kms_key else {}
    try:
        reply = account.client("s3").put_object(
            Bucket=environment.bucket,
            Key=name,
            Body=content,
            ContentType="application/json",
            **condition,
            **encryption,
        )
    except Exception as error:
        if is_conflict(error):
            raise Conflict from error
        raise
    return str(reply["ETag"])


def is_conflict(error: Exception) -> bool:
    """S3's answers to a condition that does not hold, or that another write with a condition just decides."""
    return error_code(error) in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


def _date(reply: Mapping[str, Any]) -> datetime | None:
    said = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        found = parsedate_to_datetime(said) if said else None
    except (TypeError, ValueError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
