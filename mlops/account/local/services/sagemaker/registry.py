"""The model registry: groups, and model packages with their versions and approvals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mlops.account.local import events
from mlops.account.local.caller import user_context
from mlops.account.local.listing import Query, contains
from mlops.account.local.refusal import conflict, invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.tags import forget_tags, package_row
from mlops.account.local.state import ACCOUNT_ID, State, dump, now
from mlops.ir.s3_uri import split_uri
from mlops.ir.values import Value

GROUP, POLICY = "ModelPackageGroup", "ResourcePolicy"
UNVERSIONED = 0
DEFAULT_APPROVAL = "PendingManualApproval"
_APPROVALS = {"Approved": "approved", "Rejected": "rejected", DEFAULT_APPROVAL: "reopened"}
_CALLER = user_context(ACCOUNT_ID)
"""Who made what was made before that was kept."""
# What CreateModelPackage takes and DescribeModelPackage does not tell, or tells under another name.
_NOT_KEPT = frozenset({"ClientToken", "Tags", "ModelPackageGroupName", "ModelPackageName", "ModelApprovalStatus"})
_NOT_CONTENT = frozenset(
    {"ApprovalDescription", "CreatedBy", "LastModifiedBy", "LastModifiedTime", "MetadataProperties"}
)
_ETAG = "ModelDataETag"
_REPLACED = (
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
    "SourceUri",
)


def create_model_package_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["ModelPackageGroupName"]
    arn = group_arn(state, name)
    body = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupDescription": request.get("ModelPackageGroupDescription"),
        "ManagedConfiguration": request.get("ManagedConfiguration"),
        "LastVersion": 0,
    }
    with state.store.transaction():
        taken = invalid(f"Model Package Group already exists: {arn}")
        resources.insert(state, GROUP, name, body, taken=taken, status="Completed")
        resources.tag(state, arn, request)
    return {"ModelPackageGroupArn": arn}


def describe_model_package_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return told_group(state, group_body(state, request["ModelPackageGroupName"]))


def list_model_package_groups(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = resources.query(GROUP, request, descending=False).page(state.store, request)
    return {
        "ModelPackageGroupSummaryList": [told_group(state, resources.body_of(row)) for row in rows],
        "NextToken": token,
    }


def delete_model_package_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name = group_body(state, request["ModelPackageGroupName"])["ModelPackageGroupName"]
        if state.store.one("SELECT 1 FROM package WHERE name = ? AND version > 0", name):
            raise conflict(f"Model package group {name} cannot be deleted: it still has model packages.")
        resources.remove(state, GROUP, name, group_arn(state, name))
    return {}


def create_model_package(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group, single = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if (group is None) == (single is None):
        raise invalid("Exactly one of ModelPackageGroupName and ModelPackageName must be given.")
    _need_content(request)
    body = {member: value for member, value in request.items() if member not in _NOT_KEPT and value is not None}
    body = {**_with_etags(state, body), "CreatedBy": state.caller}

    def create() -> Mapping[str, Any]:
        if group is not None:
            name, version = _next_version(state, group)
            approval = request.get("ModelApprovalStatus") or DEFAULT_APPROVAL
        else:
            name, version, approval = str(single), UNVERSIONED, ""
        arn = package_arn(state, name, version)
        try:
            state.store.write("INSERT INTO package VALUES (?, ?, ?, ?, ?)", name, version, now(), approval, dump(body))
        except sqlite3.IntegrityError:
            raise conflict(f"Model package {name} already exists.") from None
        resources.tag(state, arn, request)
        by = (body.get("MetadataProperties") or {}).get("GeneratedBy")
        _tell(state, "registered", name, version, {"status": approval or None, "by": by})
        return {"ModelPackageArn": arn}

    with state.store.transaction():
        return resources.once(state, "CreateModelPackage", request.get("ClientToken"), request, create)


def describe_model_package(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return told(state, package(state, request["ModelPackageName"]))


def list_model_packages(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    columns = {"Name": ("name", "version")}.get(request.get("SortBy") or "", ("created", "name", "version"))
    found = Query("package", columns, request.get("SortOrder") == "Descending")
    found.created_between(request, "CreationTimeAfter", "CreationTimeBefore")
    if request.get("ModelPackageGroupName"):
        name = group_body(state, request["ModelPackageGroupName"])["ModelPackageGroupName"]
        found.where("name = ? AND version > 0", name)
    else:
        # Without a group the service lists the unversioned ones, unless told otherwise.
        wanted = {"Versioned": "version > 0", "Both": "1"}.get(request.get("ModelPackageType") or "", "version = 0")
        found.where(wanted)
    if request.get("ModelApprovalStatus"):
        found.where("approval = ?", request["ModelApprovalStatus"])
    if request.get("NameContains"):
        condition, value = contains("name", request["NameContains"])
        found.where(condition, value)
    rows, token = found.page(state.store, request)
    return {"ModelPackageSummaryList": [told(state, row) for row in rows], "NextToken": token}


def update_model_package(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    arn = request["ModelPackageArn"]

    def update() -> Mapping[str, Any]:
        row = package(state, arn)
        if request.get("ModelApprovalStatus") and row["version"] == UNVERSIONED:
            raise invalid("ModelApprovalStatus applies to versioned model packages only.")
        body = json.loads(row["body"])
        body.update({member: request[member] for member in _REPLACED if request.get(member) is not None})
        properties = {
            **(body.get("CustomerMetadataProperties") or {}),
            **(request.get("CustomerMetadataProperties") or {}),
        }
        for key in request.get("CustomerMetadataPropertiesToRemove") or ():
            properties.pop(key, None)
        body["CustomerMetadataProperties"] = properties or None
        added = request.get("AdditionalInferenceSpecificationsToAdd") or ()
        if added:
            body["AdditionalInferenceSpecifications"] = [*body.get("AdditionalInferenceSpecifications", ()), *added]
        body |= {"LastModifiedTime": now(), "LastModifiedBy": state.caller}
        state.store.write(
            "UPDATE package SET approval = ?, body = ? WHERE name = ? AND version = ?",
            request.get("ModelApprovalStatus") or row["approval"],
            dump(body),
            row["name"],
            row["version"],
        )
        approval = request.get("ModelApprovalStatus")
        if approval and approval != row["approval"]:
            detail = {"status": approval, "before": row["approval"], "reason": request.get("ApprovalDescription")}
            _tell(state, _APPROVALS.get(approval, "judged"), row["name"], row["version"], detail)
        return {"ModelPackageArn": package_arn(state, row["name"], row["version"])}

    with state.store.transaction():
        return resources.once(state, "UpdateModelPackage", request.get("ClientToken"), request, update)


def delete_model_package(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        row = package(state, request["ModelPackageName"])
        state.store.write("DELETE FROM package WHERE name = ? AND version = ?", row["name"], row["version"])
        forget_tags(state, package_arn(state, row["name"], row["version"]))
        _tell(state, "deleted", row["name"], row["version"], {})
    return {}


def group_arn(state: State, name: str) -> str:
    return state.arn(f"model-package-group/{name}")


def package_arn(state: State, name: str, version: int) -> str:
    return state.arn(f"model-package/{name}" if version == UNVERSIONED else f"model-package/{name}/{version}")


def package(state: State, name_or_arn: str) -> sqlite3.Row:
    """The row of a versioned ARN, or of an unversioned package's name or ARN."""
    row = package_row(state, resources.last_segment(name_or_arn, "model-package"))
    if row is None:
        raise invalid(f"ModelPackage {name_or_arn} does not exist.")
    return row


def containers(row: sqlite3.Row) -> list[dict[str, Any]]:
    """What the package's InferenceSpecification runs."""
    found: list[dict[str, Any]] = json.loads(row["body"]).get("InferenceSpecification", {}).get("Containers", [])
    return found


def _tell(state: State, happened: str, name: str, version: int, detail: Mapping[str, Value]) -> None:
    """Not with an id of the execution that registered it: the version outlives that."""
    ids = {"model-package": name if version == UNVERSIONED else f"{name}/{version}"}
    if version != UNVERSIONED:
        ids["model-package-group"] = name
    told = {member: value for member, value in detail.items() if value is not None}
    events.tell(state, f"model-package.{happened}", package_arn(state, name, version), ids, told)


def ensure_group(state: State, name_or_arn: str) -> None:
    """A RegisterModel step makes the group that it names; CreateModelPackage alone does not."""
    name = resources.last_segment(name_or_arn, "model-package-group")
    with state.store.transaction():
        if resources.find(state, GROUP, name) is None:
            create_model_package_group(state, {"ModelPackageGroupName": name})


def _next_version(state: State, group: str) -> tuple[str, int]:
    """Inside the transaction of the insert. Numbers of deleted versions are not given again."""
    body = group_body(state, group)
    name, version = body["ModelPackageGroupName"], body["LastVersion"] + 1
    resources.replace(state, GROUP, name, {**body, "LastVersion": version}, status="Completed")
    return name, version


def identical(state: State, request: Mapping[str, Any]) -> str | None:
    """The ARN of the newest version of the group that this CreateModelPackage would make once more: registered of the
    same request, and nothing that it names was written since. What is decided of a version makes it no other one; an
    approval that is none finds nothing, and is refused by whoever registers."""
    name = resources.last_segment(str(request.get("ModelPackageGroupName") or ""), "model-package-group")
    if (request.get("ModelApprovalStatus") or DEFAULT_APPROVAL) not in _APPROVALS:
        return None
    wanted = _content(request)
    for row in state.store.all(
        "SELECT version, created, body FROM package WHERE name = ? AND version > 0 ORDER BY version DESC",
        name,
    ):
        body = json.loads(row["body"])
        if _content(body) == wanted and not _written_since(state, wanted, datetime.fromisoformat(row["created"])):
            return package_arn(state, name, row["version"])
    return None


def _content(body: Mapping[str, Any]) -> Any:
    """What a version is made of: without who made it when, what was decided, and what the account itself added."""
    found = {key: value for key, value in body.items() if key not in _NOT_KEPT | _NOT_CONTENT and value is not None}
    return json.loads(dump(_without_etags(found)))


def _written_since(state: State, value: Any, since: datetime) -> bool:
    """Whether an object at, or below, one of the URIs in ``value`` was written after that moment."""
    match value:
        case dict():
            return any(_written_since(state, item, since) for item in value.values())
        case list():
            return any(_written_since(state, item, since) for item in value)
        case str() if value.startswith("s3://"):
            bucket, key = split_uri(value)
            listed = [item.key for item in state.objects.list(bucket, key) if _is_or_is_below(item.key, key)]
            # A file may have been changed by hand since it was listed: find() looks at it.
            there = (state.objects.find(bucket, item) for item in listed)
            return any(item is not None and item.modified > since for item in there)
    return False


def _is_or_is_below(key: str, place: str) -> bool:
    return key == place or key.startswith(f"{place.rstrip('/')}/")


def _with_etags(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    """The service notes the ETag of each model archive when it is registered."""

    def etag(uri: object) -> str | None:
        found = state.objects.find(*split_uri(uri)) if isinstance(uri, str) and uri.startswith("s3://") else None
        return None if found is None else found.etag.strip('"')

    def noted(container: Mapping[str, Any]) -> Mapping[str, Any]:
        there = etag(container.get("ModelDataUrl")) if not container.get(_ETAG) else None
        return container if there is None else {**container, _ETAG: there}

    def noted_of_source(source: Mapping[str, Any]) -> Mapping[str, Any]:
        if source.get("S3DataType") != "S3Object" or source.get("ETag"):
            return source  # of a prefix there is none
        there = etag(source.get("S3Uri"))
        return source if there is None else {**source, "ETag": there}

    return _with_containers(body, lambda container: _with_source(noted(container), noted_of_source))


def _without_etags(body: Mapping[str, Any]) -> dict[str, Any]:
    def without(told: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: value for key, value in told.items() if key not in (_ETAG, "ETag")}

    return _with_containers(body, lambda container: _with_source(without(container), without))


def _with_source(
    container: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    data = container.get("ModelDataSource")
    if not isinstance(data, Mapping) or not isinstance(source := data.get("S3DataSource"), Mapping):
        return container
    return {**container, "ModelDataSource": {**data, "S3DataSource": change(source)}}


def _with_containers(
    body: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    specification = body.get("InferenceSpecification")
    if not isinstance(specification, Mapping):
        return dict(body)
    listed = [change(item) for item in specification.get("Containers") or ()]
    return {**body, "InferenceSpecification": {**specification, "Containers": listed}}


def _need_content(request: Mapping[str, Any]) -> None:
    logged = request.get("ModelPackageRegistrationType") == "Logged"
    if not logged and not any(
        request.get(member) for member in ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri")
    ):
        raise invalid("One of InferenceSpecification, SourceAlgorithmSpecification and SourceUri must be given.")


def group_body(state: State, name_or_arn: str) -> dict[str, Any]:
    """What is kept of it. Raises Refusal where there is none."""
    name = resources.last_segment(name_or_arn, "model-package-group")
    body = resources.find(state, GROUP, name)
    if body is None:
        raise invalid(f"ModelPackageGroup {group_arn(state, name)} does not exist.")
    return body


def told_group(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{member: value for member, value in body.items() if member != POLICY},
        "ModelPackageGroupArn": group_arn(state, body["ModelPackageGroupName"]),
        "ModelPackageGroupStatus": "Completed",
        "CreatedBy": _CALLER,
    }


def told(state: State, row: sqlite3.Row) -> dict[str, Any]:
    """What Describe says of a model package, by its row."""
    versioned = row["version"] != UNVERSIONED
    body = json.loads(row["body"])
    return {
        **body,
        "ModelPackageName": row["name"],
        "ModelPackageArn": package_arn(state, row["name"], row["version"]),
        "ModelPackageGroupName": row["name"] if versioned else None,
        "ModelPackageVersion": row["version"] if versioned else None,
        "ModelApprovalStatus": row["approval"] if versioned else None,
        "CreationTime": row["created"],
        "CreatedBy": body.get("CreatedBy", _CALLER),
        "LastModifiedBy": body.get("LastModifiedBy", _CALLER) if "LastModifiedTime" in body else None,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
    }


def latest_approved(state: State, group: str) -> Mapping[str, Any] | None:
    """What is told of the newest approved version of a group, by its name or ARN; None without one. Raises Refusal."""
    asked = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved", "SortOrder": "Descending"}
    listed = list_model_packages(state, {**asked, "MaxResults": 1})["ModelPackageSummaryList"]
    return describe_model_package(state, {"ModelPackageName": listed[0]["ModelPackageArn"]}) if listed else None


OPERATIONS = {
    "CreateModelPackage": create_model_package,
    "CreateModelPackageGroup": create_model_package_group,
    "DeleteModelPackage": delete_model_package,
    "DeleteModelPackageGroup": delete_model_package_group,
    "DescribeModelPackage": describe_model_package,
    "DescribeModelPackageGroup": describe_model_package_group,
    "ListModelPackageGroups": list_model_package_groups,
    "ListModelPackages": list_model_packages,
    "UpdateModelPackage": update_model_package,
}
