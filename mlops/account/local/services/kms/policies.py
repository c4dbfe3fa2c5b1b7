"""Policies of keys, kept as they are put: clients read one, add themselves and put it back. Nobody is kept from
anything by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.kms.keys import KIND as KEY
from mlops.account.local.services.kms.keys import describe_key
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND = "KeyPolicy"
_NAME = "default"
_FIRST = {
    "Version": "2012-10-17",
    "Id": "key-default-1",
    "Statement": [
        {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


def get_key_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    key = _key(state, request)
    body = resources.find(state, KIND, key) or resources.find(state, KEY, key) or {}
    return {"Policy": body.get("Policy") or json.dumps(_FIRST), "PolicyName": _NAME}


def put_key_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    key, policy = _key(state, request), request["Policy"]
    try:
        right = isinstance(json.loads(policy), dict)
    except (ValueError, RecursionError):
        right = False
    if not right:
        raise Refusal("MalformedPolicyDocumentException", "The policy is no JSON object.")
    with state.store.transaction():
        if resources.find(state, KIND, key) is None:
            taken = Refusal("KMSInternalException", "Ask again.", 500)
            resources.insert(state, KIND, key, {"Policy": policy}, taken=taken)
        else:
            resources.replace(state, KIND, key, {"Policy": policy})
    return {}


def _key(state: State, request: Mapping[str, Any]) -> str:
    if request.get("PolicyName", _NAME) != _NAME:
        raise Refusal("NotFoundException", "No such policy exists")
    return str(describe_key(state, request)["KeyMetadata"]["KeyId"])


OPERATIONS = {"GetKeyPolicy": get_key_policy, "PutKeyPolicy": put_key_policy}
