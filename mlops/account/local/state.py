"""What every answer works on: one state folder with its metadata and objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account.local.caller import user_context, user_named
from mlops.account.local.objects import ObjectStore
from mlops.account.local.store import Store

ACCOUNT_ID = "000000000000"
STORE = "account.sqlite"


class State:
    """Under ``folder``: ``account.sqlite``, ``objects/``, ``executions/<id>/``, ``jobs/<kind>/<name>/``, ``clock/``
    and ``endpoints/<name>/``. ``user`` is who calls (:func:`~mlops.account.local.caller.user_named`)."""

    def __init__(self, folder: Path, region: str, user: str | None = None) -> None:
        self.user = user_named(user)
        self.folder = folder.absolute()
        self.region = region
        self.store = Store(self.folder / STORE)
        self.objects = ObjectStore(self.store, self.folder / "objects")

    def arn(self, resource: str) -> str:
        """``resource`` is e.g. ``pipeline/churn``."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT_ID}:{resource}"

    @property
    def caller(self) -> Mapping[str, Any]:
        """Who calls, as a UserContext."""
        return user_context(ACCOUNT_ID, self.user)

    @property
    def identity(self) -> tuple[int, int] | None:
        """Of the store's file: another one under its name is another account, and None where somebody removed it."""
        try:
            found = (self.folder / STORE).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def execution_folder(self, execution_id: str) -> Path:
        return self.folder / "executions" / execution_id

    def job_folder(self, kind: str, name: str) -> Path:
        """Of a job that somebody created."""
        return self.folder / "jobs" / kind / name

    @property
    def clock_folder(self) -> Path:
        return self.folder / "clock"

    def endpoint_folder(self, name: str) -> Path:
        return self.folder / "endpoints" / name


def now() -> str:
    return moment(datetime.now(UTC))


def moment(time: datetime) -> str:
    """As it is stored: UTC, sortable as text."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def dump(body: Mapping[str, Any], *, sort_keys: bool = False) -> str:
    return (_SORTED if sort_keys else _AS_GIVEN).encode(body)


def _stored(value: Any) -> Any:
    match value:
        case datetime():
            return moment(value)
        case Mapping():
            return dict(value)
        case tuple() | set() | frozenset():
            return list(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


# Made once: json.dumps makes one for each call that asks for more than the plain form.
_AS_GIVEN, _SORTED = json.JSONEncoder(default=_stored), json.JSONEncoder(default=_stored, sort_keys=True)
