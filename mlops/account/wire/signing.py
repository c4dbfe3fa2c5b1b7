"""What a signature tells without being checked: service and region, and until when a presigned URL is good.

The key that signed is of no use here. Nothing of it is kept.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mlops.account.local.refusal import Refusal
from mlops.account.wire.messages import Request
from mlops.ir.dataclass import dataclass

# ACCESSKEY/20261129/us-east-1/s3/aws4_request; a signature of version 4A names no region.
_SCOPE = re.compile(r"[^/=\s]+/[0-9]{8}/(?:([a-z0-9-]{1,40})/)?([a-z0-9-]{1,60})/aws4_request")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]")
_LONGEST_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Scope:
    service: str | None = None
    region: str | None = None


def scope_of(request: Request) -> Scope:
    """
    >>> from io import BytesIO
    >>> told = "AWS4-HMAC-SHA256 Credential=AKIA/20261129/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    >>> scope_of(Request("GET", "/", [], {"authorization": told}, BytesIO()))
    Scope(service='s3', region='eu-west-1')
    """
    told = request.header("authorization") or request.asked("X-Amz-Credential") or ""
    found = _SCOPE.search(told)
    if found is None:
        old_s3 = told.startswith("AWS ") or (request.asked("AWSAccessKeyId") and request.asked("Signature"))
        return Scope("s3") if old_s3 else Scope()
    region = found[1]
    return Scope(found[2], region if region is not None and _REGION.fullmatch(region) else None)


def need_unexpired(request: Request, now: datetime) -> None:
    """Raises Refusal for a presigned URL whose time is over, or that says none."""
    if request.asked("X-Amz-Signature") is not None:
        began, lasts = _began(request.asked("X-Amz-Date")), _seconds(request.asked("X-Amz-Expires"))
        if began is None or lasts is None:
            raise Refusal(
                "AuthorizationQueryParametersError",
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            )
        if lasts > _LONGEST_SECONDS:
            raise Refusal(
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be less than a week (in seconds) that is 604800",
            )
        until = began + timedelta(seconds=lasts)
    elif request.asked("Signature") is not None and request.asked("AWSAccessKeyId") is not None:
        seconds = _seconds(request.asked("Expires"))
        if seconds is None:
            raise Refusal("AccessDenied", "Invalid date (should be seconds since epoch).", 403)
        until = datetime.fromtimestamp(seconds, UTC)
    else:
        return
    if now > until:
        told = {"Expires": _told(until), "ServerTime": _told(now)}
        raise Refusal("AccessDenied", "Request has expired", 403, **told)


def _began(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
