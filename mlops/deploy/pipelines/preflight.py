"""Whether pipelines could run in an account, asked of the account by reads only. Each doubt is a finding.

What the account does not answer (no permission, or another AWS API) is told as an info and held against nobody.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import error_code, is_missing, unless_missing
from mlops.check.account_findings import ACCOUNT_FINDINGS
from mlops.deploy.pages import items
from mlops.deploy.pipelines.definition_diff import leaves, steps_of
from mlops.ir import AccountError, Checked, Finding, Where
from mlops.ir.document import document
from mlops.ir.image_uri import ECR_URI, ecr_image
from mlops.ir.permissions import actions_of
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_PAGE = 100

Check = Callable[[Account, Environment, Sequence[Checked], str], Iterator[Finding]]


def preflight(account: Account, environment: Environment, pipelines: Sequence[Checked]) -> tuple[Finding, ...]:
    """Nothing in the local account, which has no roles, quotas or networks."""
    if environment.is_local:
        return ()
    number = confirm_account(account, environment)
    found: list[Finding] = []
    for topic, check in _CHECKS.items():
        try:
            with answers():
                found.extend(check(account, environment, pipelines, number))
        except AccountError as error:
            found.append(_finding("A912", f"{topic} could not be asked: {error.message}", error.hint))
    places = {placed.step.name: placed.step.where for checked in pipelines for placed in checked.definition.placed()}
    # What no step asks for is told of the environment.
    whole = Where(environment.name)
    return tuple(replace(finding, where=places.get(finding.step or "", whole)) for finding in found)


def _role(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    name = environment.role.rpartition("/")[2]
    found = unless_missing(lambda: account.client("iam").get_role(RoleName=name))
    if found is None:
        yield _finding("A901", f"there is no role {name} in account {number}", "correct `role` in mlops.toml")
        return
    trust = found["Role"].get("AssumeRolePolicyDocument") or {}
    if isinstance(trust, str):
        trust = json.loads(unquote(trust))
    if not _trusts(trust):
        yield _finding(
            "A902",
            f"the role {name} does not let SageMaker take it on",
            'its trust policy needs {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, '
            '"Action": "sts:AssumeRole"}',
        )


def _trusts(policy: Mapping[str, Any]) -> bool:
    for statement in _listed(policy.get("Statement")):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)
        allowed = {"sts:AssumeRole", "sts:*", "*"} & set(_listed(statement.get("Action")))
        if statement.get("Effect") == "Allow" and allowed and {"sagemaker.amazonaws.com", "*"} & set(services):
            return True
    return False


def _actions(
    account: Account, environment: Environment, pipelines: Sequence[Checked], number: str
) -> Iterator[Finding]:
    wanted = actions_of(pipelines)
    iam = account.client("iam")
    denied: list[str] = []
    for start in range(0, len(wanted), _PAGE):
        listed = items(
            iam,
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=environment.role,
            ActionNames=list(wanted[start : start + _PAGE]),
        )
        denied.extend(str(item["EvalActionName"]) for item in listed if item["EvalDecision"] != "allowed")
    if denied:
        yield _finding(
            "A903",
            f"the role {environment.role.rpartition('/')[2]} may not {', '.join(sorted(denied))}",
            "allow it on the resources that the pipeline uses; a policy that names resources is simulated here without "
            "them, and is then a false alarm",
        )


def _images(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    for uri, step in sorted(_texts(pipelines, ECR_URI).items()):
        image = ecr_image(uri)
        if image is None:
            continue
        if image.region != environment.region:
            yield _finding("A905", f"{uri} lies in {image.region}, the jobs run in {environment.region}", step=step)
        elif image.account == number:
            ecr = account.client("ecr")
            ask = partial(ecr.describe_images, repositoryName=image.repository, imageIds=[image.id])
            if unless_missing(ask) is None:
                yield _finding("A904", f"there is no image {uri}", "build and push it", step=step)


def _buckets(
    account: Account, environment: Environment, pipelines: Sequence[Checked], number: str
) -> Iterator[Finding]:
    places = _texts(pipelines, re.compile(r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/.*)?", re.DOTALL))
    buckets = {split_uri(uri)[0]: step for uri, step in places.items()}
    s3 = account.client("s3")
    for bucket, step in sorted({**buckets, environment.bucket: None}.items()):
        try:
            reply = s3.head_bucket(Bucket=bucket)
        except Exception as error:
            code = error_code(error)
            if not (is_missing(error) or code in ("403", "301")):
                raise
            said = "lies in another region" if code == "301" else "is not there, or not for these credentials"
            yield _finding("A906", f"the bucket {bucket} {said}", step=step)
            continue
        region = reply.get("BucketRegion")
        if region and region != environment.region:
            yield _finding("A907", f"the bucket {bucket} lies in {region}, not in {environment.region}", step=step)


def _key(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    if environment.kms_key is None:
        return
    found = unless_missing(lambda: account.client("kms").describe_key(KeyId=environment.kms_key))
    if found is None:
        yield _finding("A908", f"there is no key {environment.kms_key}", "correct `kms_key` in mlops.toml")
        return
    told = found["KeyMetadata"]
    if told.get("KeyState", "Enabled") != "Enabled":
        yield _finding("A908", f"the key {environment.kms_key} is {told['KeyState']}")


def _quotas(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    wanted: dict[tuple[str, str], tuple[int, str]] = defaultdict(lambda: (0, ""))
    types = (checked.type_of(placed.step) for checked in pipelines for placed in checked.definition.placed())
    quota_nouns = {found.type: found.job.quota for found in types if found is not None and found.job is not None}
    for name, step in _steps(pipelines):
        job = quota_nouns.get(str(step.get("Type")))
        members = dict(leaves(step.get("Arguments"))) if job else {}
        for at, value in members.items():
            if job and at.endswith("/InstanceType") and isinstance(value, str):
                count = members.get(at.removesuffix("Type") + "Count", 1)
                wanted[value, job] = max(wanted[value, job], (count if isinstance(count, int) else 1, name))
    if not wanted:
        return
    quotas = {
        str(item["QuotaName"]).lower(): float(item["Value"])
        for item in items(account.client("service-quotas"), "list_service_quotas", "Quotas", ServiceCode="sagemaker")
    }
    for (instance, job), (count, asking) in sorted(wanted.items()):
        limit = quotas.get(f"{instance} for {job} usage".lower())
        if limit is not None and count > limit:
            yield _finding(
                "A909",
                f"{asking} asks for {count} {instance}, the quota for {job}s is {limit:g}",
                "ask for more at Service Quotas, or take another instance type",
                step=asking,
            )


def _groups(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    groups = {
        str(value): name
        for name, step in _steps(pipelines)
        if step.get("Type") == "RegisterModel" and isinstance(step.get("Arguments"), dict)
        if isinstance(value := step["Arguments"].get("ModelPackageGroupName"), str)
    }
    sagemaker = account.client("sagemaker")
    for group, step in sorted(groups.items()):
        if unless_missing(partial(sagemaker.describe_model_package_group, ModelPackageGroupName=group)) is None:
            yield _finding("A910", f"there is no model package group {group} yet", step=step)


def _network(
    account: Account, environment: Environment, pipelines: Sequence[Checked], number: str
) -> Iterator[Finding]:
    networks: set[str] = set()
    if not environment.subnets and not environment.security_groups:
        return
    ec2 = account.client("ec2")
    asked = [("subnet", name, partial(ec2.describe_subnets, SubnetIds=[name])) for name in environment.subnets]
    asked += [
        ("security group", name, partial(ec2.describe_security_groups, GroupIds=[name]))
        for name in environment.security_groups
    ]
    for kind, name, ask in asked:
        found = unless_missing(ask)
        if found is None:
            yield _finding("A911", f"there is no {kind} {name}", "correct mlops.toml")
            continue
        for member in ("Subnets", "SecurityGroups"):
            networks.update(item["VpcId"] for item in found.get(member, ()))
    if len(networks) > 1:
        yield _finding(
            "A911", f"subnets and security groups are of {len(networks)} VPCs: {', '.join(sorted(networks))}"
        )


def _functions(
    account: Account, environment: Environment, pipelines: Sequence[Checked], number: str
) -> Iterator[Finding]:
    asking = account.client("lambda").get_function_configuration
    for name, step in _named_by(pipelines, "Lambda", "FunctionArn").items():
        if unless_missing(partial(asking, FunctionName=name)) is None:
            told = f"there is no function {name} in {environment.region}"
            yield _finding("A913", told, "make it, or correct `function=`", step=step)


def _queues(account: Account, environment: Environment, pipelines: Sequence[Checked], number: str) -> Iterator[Finding]:
    asking = account.client("sqs").get_queue_attributes
    for url, step in _named_by(pipelines, "Callback", "SqsQueueUrl").items():
        if unless_missing(partial(asking, QueueUrl=url, AttributeNames=["QueueArn"])) is None:
            yield _finding("A914", f"there is no queue {url}", "make it, or correct `queue=`", step=step)


def _named_by(pipelines: Sequence[Checked], kind: str, member: str) -> dict[str, str]:
    """What steps of a type name in a member of their own, with the first step; an expression is known at a run only."""
    found: dict[str, str] = {}
    for name, step in _steps(pipelines):
        if step.get("Type") == kind and isinstance(value := step.get(member), str):
            found.setdefault(value, name)
    return dict(sorted(found.items()))


_CHECKS: Mapping[str, Check] = {
    "the role": _role,
    "what the role may do": _actions,
    "images": _images,
    "buckets": _buckets,
    "the key": _key,
    "quotas": _quotas,
    "model package groups": _groups,
    "the network": _network,
    "functions": _functions,
    "queues": _queues,
}


def _steps(pipelines: Sequence[Checked]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for checked in pipelines:
        yield from steps_of(document(checked.definition)).items()


def _texts(pipelines: Sequence[Checked], pattern: re.Pattern[str]) -> dict[str, str | None]:
    """Whole texts of that form in any step, with the first step that has it."""
    found: dict[str, str | None] = {}
    for name, step in _steps(pipelines):
        for _, value in leaves(step.get("Arguments")):
            if isinstance(value, str) and pattern.fullmatch(value):
                found.setdefault(value, name)
    return found


def _finding(code: str, message: str, help: str | None = None, *, step: str | None = None) -> Finding:
    known = ACCOUNT_FINDINGS[code]
    return Finding(code, known.name, known.severity, message, help=help, step=step)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
