"""What promotions made in an account: a mark for each in the environment's bucket, written before it is made. What has
none is somebody else's, and nobody cleans it away."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import conditional_object
from mlops.deploy.conditional_object import Conflict
from mlops.deploy.pages import items
from mlops.project.environments import Environment

Kind: TypeAlias = Literal["models", "configs"]
_FOLDER = "made"
_ENDING = ".json"


def remember(account: Account, environment: Environment, kind: Kind, name: str) -> None:
    content = json.dumps({"made": name}).encode()
    key = conditional_object.key(environment, _FOLDER, kind, f"{name}{_ENDING}")
    try:
        conditional_object.put(account, environment, key, content, None)
    except Conflict:
        # Of a promotion that was cut off, or of the same version before.
        return


def read(account: Account, environment: Environment, kind: Kind) -> frozenset[str]:
    prefix = f"{conditional_object.key(environment, _FOLDER, kind)}/"
    s3 = account.client("s3")
    with answers():
        listed = unless_missing(
            lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix))
        )
    return frozenset(str(item["Key"]).removeprefix(prefix).removesuffix(_ENDING) for item in listed or ())
