"""Tags of any SageMaker resource, by its ARN."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.state import State
from mlops.check.job_kinds import by_segment

MOST_TAGS = 50
STUDIO_DOMAIN, STUDIO_USER, STUDIO_SPACE = "StudioDomain", "StudioUser", "StudioSpace"
# What an ARN's resource part begins with -> the kind of resource, where that kind lives in the resource table.
_KINDS = {
    "pipeline": "Pipeline",
    "model-package-group": "ModelPackageGroup",
    "model": "Model",
    "endpoint-config": "EndpointConfig",
    "endpoint": "Endpoint",
    "inference-component": "InferenceComponent",
    "inference-experiment": "InferenceExperiment",
    "model-card": "ModelCard",
    "domain": STUDIO_DOMAIN,
    "user-profile": STUDIO_USER,
    "space": STUDIO_SPACE,
    "notebook-instance": "NotebookInstance",
    "notebook-instance-lifecycle-config": "NotebookInstanceLifecycleConfig",
}


def add_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_resource(state, request["ResourceArn"])
        put_tags(state, request["ResourceArn"], request["Tags"])
        return {"Tags": tags_of(state, request["ResourceArn"])}


def list_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    arn = request["ResourceArn"]
    _need_resource(state, arn)
    rows, token = Query("tag", ("key",), False).where("arn = ?", arn).page(state.store, request)
    return {"Tags": [{"Key": row["key"], "Value": row["value"]} for row in rows], "NextToken": token}


def delete_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction() as connection:
        _need_resource(state, request["ResourceArn"])
        connection.executemany(
            "DELETE FROM tag WHERE arn = ? AND key = ?", [(request["ResourceArn"], key) for key in request["TagKeys"]]
        )
    return {}


def put_tags(state: State, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
    with state.store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO tag VALUES (?, ?, ?)", [(arn, item["Key"], item["Value"]) for item in tags]
        )
        if len(tags_of(state, arn)) > MOST_TAGS:
            raise invalid(f"a resource has at most {MOST_TAGS} tags")


def forget_tags(state: State, arn: str) -> None:
    state.store.write("DELETE FROM tag WHERE arn = ?", arn)


def tags_of(state: State, arn: str) -> list[dict[str, str]]:
    rows = state.store.all("SELECT * FROM tag WHERE arn = ? ORDER BY key", arn)
    return [{"Key": row["key"], "Value": row["value"]} for row in rows]


def _need_resource(state: State, arn: str) -> None:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    job = by_segment(kind)
    if kind in _KINDS or job is not None:
        stored = job.name if job is not None else _KINDS[kind]
        # Of notebook instances an ARN has the name in small letters.
        same = "lower(name)" if kind.startswith("notebook-instance") else "name"
        row = state.store.one(f"SELECT 1 FROM resource WHERE kind = ? AND {same} = ?", stored, name)  # noqa: S608
    elif kind == "model-package":
        row = package_row(state, name)
    else:
        row = None
    if row is None or not arn.startswith(state.arn("")):
        raise Refusal("ResourceNotFound", f"{arn} does not exist.")


def package_row(state: State, name: str) -> sqlite3.Row | None:
    """Of a model package as its ARN ends: ``churn/3``, or ``churn`` where it is unversioned."""
    package, slash, version = name.partition("/")
    if not re.fullmatch(r"[0-9]{1,18}" if slash else "", version):
        return None
    return state.store.one("SELECT * FROM package WHERE name = ? AND version = ?", package, int(version or 0))


OPERATIONS = {"AddTags": add_tags, "DeleteTags": delete_tags, "ListTags": list_tags}
