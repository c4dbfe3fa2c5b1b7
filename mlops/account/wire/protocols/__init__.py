"""The protocols of AWS, one file each, with a ``PROTOCOL``: how a request is read, a reply written, a refusal told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from botocore.model import OperationModel

from mlops.account.local.refusal import Refusal
from mlops.account.wire.messages import Reply, Request
from mlops.ir.dataclass import dataclass

Read: TypeAlias = Callable[[OperationModel, Request], Mapping[str, Any]]
Write: TypeAlias = Callable[[OperationModel, Mapping[str, Any], str], Reply]
Refuse: TypeAlias = Callable[[Refusal, "Said"], Reply]


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal is told with: ``message`` is what the model calls the text of that error."""

    request_id: str
    message: str = "message"
    service: str = ""
    resource: str = ""
    query_mode: bool = False

    def query_error(self, refusal: Refusal) -> dict[str, str]:
        """The header in which clients that come from the query protocol look for the code that it had there."""
        return {"x-amzn-query-error": f"{refusal.code};{refusal.fault}"} if self.query_mode else {}


@dataclass(frozen=True, slots=True)
class Protocol:
    """``write`` is given a reply that the model's shape knows whole, and the request's id."""

    read: Read
    write: Write
    refuse: Refuse
