"""The model registry: groups, versions, and the decision on a version."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from mlops.account import Account, answers, confirm_identity
from mlops.account.missing import unless_missing
from mlops.deploy.models import approvals
from mlops.deploy.pages import items
from mlops.ir import Refusal, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

APPROVED = "Approved"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model package group. ``details`` is DescribeModelPackage's reply."""

    group: str
    number: int
    arn: str
    approval: str
    created: datetime | None
    details: Mapping[str, Any] = field(default_factory=dict)


def groups(account: Account) -> tuple[str, ...]:
    with answers():
        found = items(account.client("sagemaker"), "list_model_package_groups", "ModelPackageGroupSummaryList")
        return tuple(sorted(str(item["ModelPackageGroupName"]) for item in found))


def versions(account: Account, group: str) -> tuple[Version, ...]:
    """Newest first. Raises UsageError for a group that is not there."""
    sagemaker = account.client("sagemaker")
    with answers():
        if unless_missing(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is None:
            raise _no_group(account, group)
        found = list(items(sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group))
    return tuple(sorted(map(_version, found), key=lambda version: version.number, reverse=True))


def _no_group(account: Account, group: str) -> UsageError:
    return UsageError(f"there is no model package group {group!r}{instead(group, groups(account))}")


def page(account: Account, group: str, after: str | None, most: int) -> tuple[tuple[Version, ...], str | None]:
    """At most so many, newest first, behind the place ``after``; and where they go on. Raises UsageError for a group
    that is not there, and for a place that nobody gave."""
    sagemaker = account.client("sagemaker")
    place = {"NextToken": after} if after is not None else {}
    with answers():
        try:
            found = sagemaker.list_model_packages(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=most, **place
            )
        except sagemaker.exceptions.ClientError:
            if unless_missing(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is None:
                raise UsageError(
                    f"there is no model package group {group!r}{instead(group, groups(account))}"
                ) from None
            raise
    return tuple(map(_version, found["ModelPackageSummaryList"])), found.get("NextToken")


def version(account: Account, group: str, number: int | None) -> Version:
    """One version with its details; the newest where none is named."""
    if number is not None and (found := _numbered(account, group, number)) is not None:
        return found
    present = versions(account, group)
    chosen = next((item for item in present if number is None or item.number == number), None)
    if chosen is None:
        known = ", ".join(str(item.number) for item in present) or "none"
        raise UsageError(
            f"{group} has no version {number}; it has {known}" if number is not None else f"{group} has no version yet"
        )
    return described(account, chosen.arn)


def _numbered(account: Account, group: str, number: int) -> Version | None:
    """Asked for by its name: to list thousands for one of them takes a call for each hundred."""
    sagemaker = account.client("sagemaker")
    with answers():
        there = unless_missing(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group))
        if there is None or "ModelPackageGroupArn" not in there:
            return None
        arn = str(there["ModelPackageGroupArn"]).replace(":model-package-group/", ":model-package/", 1) + f"/{number}"
        details = unless_missing(lambda: sagemaker.describe_model_package(ModelPackageName=arn))
    return None if details is None else _version({**details, "ModelPackageArn": arn}, details)


def described(account: Account, arn: str) -> Version:
    with answers():
        details = account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return _version({**details, "ModelPackageArn": arn}, details)


def newest_approved(
    account: Account, group: str, passed_over: Collection[int] = (), environment: Environment | None = None
) -> Version:
    """Without those that are ``passed_over``: they were taken or rolled back. Raises Refusal where no version is
    approved, naming what there is, and how one of ``environment`` is."""
    present = versions(account, group)
    approved = [item for item in present if item.approval == APPROVED]
    chosen = next((item for item in approved if item.number not in passed_over), None)
    if chosen is None and approved:
        told = ", ".join(str(item.number) for item in approved)
        raise Refusal(
            f"all approved versions of {group} were taken or rolled back at this endpoint: {told}",
            hint="approve a better one, or promote one of them all the same with --version",
        )
    if chosen is None:
        told = ", ".join(f"{item.number} {item.approval}" for item in present) or "no version"
        option = environment.option if environment is not None else ""
        raise Refusal(
            f"{group} has no approved version: {told}",
            hint=f"approve one with `mlops models approve {group} VERSION{option}`",
        )
    return described(account, chosen.arn)


def is_decided(account: Account, environment: Environment, version: Version, status: str, reason: str | None) -> bool:
    """Whether there is nothing to say any more: it is so, and whoever calls has said so, for that reason where one is
    given. Another one's word counts beside it."""
    if version.approval != status:
        return False
    told = approvals.read(account, environment, version.group, version.number)
    with answers():
        return approvals.stands(told, confirm_identity(account, environment).arn, status, reason)


def decide(
    account: Account,
    environment: Environment,
    version: Version,
    status: Literal["Approved", "Rejected"],
    reason: str | None,
) -> bool:
    """Approve or reject; False where whoever calls had decided so before. ``version`` has its details. A reason belongs
    to one decision: that of an opposite one is taken away."""
    if is_decided(account, environment, version, status, reason):
        return False
    group, number = version.group, version.number
    with answers():
        by = confirm_identity(account, environment).arn
        told = approvals.read(account, environment, group, number)
        elsewhere = approvals.unrecorded(version.approval, told)
        if elsewhere is not None and elsewhere != status:
            # Between our decisions somebody decided otherwise: what was approved before that counts no more.
            before = version.details.get("ApprovalDescription") or None
            approvals.append(account, environment, group, number, elsewhere, None, before)
        # First the record: what the registry says beyond it was decided by somebody unknown.
        approvals.append(account, environment, group, number, status, by, reason)
        changes: dict[str, Any] = {} if version.approval == status else {"ModelApprovalStatus": status}
        if reason is not None or (changes and version.details.get("ApprovalDescription")):
            changes["ApprovalDescription"] = reason or ""
        if changes:
            account.client("sagemaker").update_model_package(ModelPackageArn=version.arn, **changes)
    return True


@dataclass(frozen=True, slots=True)
class Report:
    """A report that a version carries. ``name`` is its place in ModelMetrics, ``numbers`` are by dotted name; empty
    where there is none to read."""

    name: str
    uri: str
    numbers: Mapping[str, float]


def metrics(account: Account, version: Version) -> Mapping[str, float]:
    """The numbers in the reports that the version carries, by dotted name; empty where there is none to read."""
    return {name: value for report in reports(account, version) for name, value in report.numbers.items()}


def reports(account: Account, version: Version) -> Iterator[Report]:
    for name, uri in _reports(version.details.get("ModelMetrics") or {}):
        bucket, key = split_uri(uri)
        s3 = account.client("s3")
        found: dict[str, float] = {}
        with answers():
            # A prefix also finds what is merely called alike: report-old/ beside report, a.json.bak beside a.json.
            below = f"{key.rstrip('/')}/"
            listed = items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)
            keys = [str(item["Key"]) for item in listed if item["Key"] == key or item["Key"].startswith(below)]
            for there in keys:
                if not there.endswith(".json"):
                    continue
                body = s3.get_object(Bucket=bucket, Key=there)["Body"].read()
                try:
                    found.update(numbers(json.loads(body)))
                except (ValueError, RecursionError):
                    continue  # A report of another kind; showing numbers is all that is wanted here.
        yield Report(name, uri, found)


def _reports(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for family, kinds in metrics.items():
        for kind, source in kinds.items():
            if isinstance(source, Mapping) and str(source.get("S3Uri", "")).startswith("s3://"):
                yield f"{family}.{kind}", str(source["S3Uri"])


def numbers(document: Any, at: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a JSON document by its dotted name, but for integers that no float holds."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from numbers(value, f"{at}.{key}" if at else str(key))
    elif isinstance(document, int | float) and not isinstance(document, bool):
        try:
            float(document)
        except OverflowError:
            return
        yield at, document


def _version(item: Mapping[str, Any], details: Mapping[str, Any] | None = None) -> Version:
    arn = str(item["ModelPackageArn"])
    group, _, number = arn.partition(":model-package/")[2].partition("/")
    return Version(
        group=str(item.get("ModelPackageGroupName", group)),
        number=int(item.get("ModelPackageVersion", number)),
        arn=arn,
        approval=str(item.get("ModelApprovalStatus", "")),
        created=item.get("CreationTime"),
        details=details or {},
    )
