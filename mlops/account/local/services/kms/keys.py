"""Keys by name alone: whoever names one finds it enabled, since what it would encrypt lies on this disk in clear.

Encrypt, Decrypt and the like are not answered: what they gave would look protected and would not be.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND, ALIAS = "Key", "KeyAlias"
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(?:key|alias)/.+")
_ID = re.compile(r"[A-Za-z0-9-]+")
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]+")


def create_key(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    key = str(uuid.uuid4())
    tags = {item["TagKey"]: item["TagValue"] for item in request.get("Tags") or ()}
    body = {"Description": request.get("Description") or "", "Policy": request.get("Policy"), "Tags": tags}
    resources.insert(state, KIND, key, body, taken=Refusal("KMSInternalException", "Ask again.", 500))
    return {"KeyMetadata": _metadata(state, key, resources.find(state, KIND, key))}


def describe_key(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = request["KeyId"]
    if not (_ARN.fullmatch(asked) or _ID.fullmatch(asked) or _ALIAS.fullmatch(asked)):
        raise Refusal("NotFoundException", f"Invalid keyId {asked}")
    key = key_of(state, asked)
    return {"KeyMetadata": _metadata(state, key, resources.find(state, KIND, key))}


def list_keys(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    rows, token = query.page(state.store, {"MaxResults": request.get("Limit"), "NextToken": request.get("Marker")})
    keys = [{"KeyId": row["name"], "KeyArn": _arn(state, row["name"])} for row in rows]
    return {"Keys": keys, "NextMarker": token, "Truncated": token is not None}


def key_of(state: State, asked: str) -> str:
    """The id of a key by its id, its alias or an ARN of either."""
    alias = asked.rpartition(":")[2]
    if not _ALIAS.fullmatch(alias):
        return asked.rpartition("/")[2]
    made = resources.find(state, ALIAS, alias)
    # Of one that nobody made: the same for the same alias, whoever asks.
    return str(made["Key"]) if made is not None else str(uuid.uuid5(uuid.NAMESPACE_URL, alias))


def _metadata(state: State, key: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
    found = body or {}
    return {
        "KeyId": key,
        "Arn": _arn(state, key),
        "AWSAccountId": ACCOUNT_ID,
        "CreationDate": found.get("CreationTime", _SINCE),
        "Description": found.get("Description", ""),
        "Enabled": True,
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        "MultiRegion": False,
    }


def _arn(state: State, key: str) -> str:
    return f"arn:aws:kms:{state.region}:{ACCOUNT_ID}:key/{key}"


OPERATIONS = {"CreateKey": create_key, "DescribeKey": describe_key, "ListKeys": list_keys}
