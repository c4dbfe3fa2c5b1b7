"""The policies of the roles that an environment begins with: what its jobs run as, and who plans, upserts and promotes.

Each is the sum of what pipelines and declared files need, and of what every one of them does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mlops.emit.policies.arns import account_of, arn_of, bucket_arn, key_arn
from mlops.emit.policies.deployer import deployer_needs, promoter_needs
from mlops.emit.policies.execution import OF_JOBS, execution_needs, roles_of
from mlops.emit.policies.places import STAR
from mlops.emit.policies.statements import Need, Policy, policy
from mlops.ir import Checked
from mlops.ir.permissions import LOGS
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Beside

ROLE_CHARACTERS = 10_240
"""All policies of a role's own together, white space not counted (guide: IAM quotas)."""
_ASKS = ("Describe", "Get", "List", "Search")
_EVERY = "every pipeline"


def execution_policy(parts: Iterable[Checked], around: Surroundings) -> Policy:
    return policy([*_of_any_job(around), *(need for each in parts for need in execution_needs(each, around))])


def roles_of_jobs(parts: Iterable[Checked], around: Surroundings) -> tuple[str, ...]:
    """Of this account, what steps of pipelines run as instead of the environment's role."""
    steps = [placed.step for each in parts if not each.definition.of_resources for placed in each.definition.placed()]
    found = dict.fromkeys(role for step in steps for role in roles_of(step) if role != around.role)
    ours = f"::{account_of(around)}:role/"
    return tuple(role for role in found if ours in role)


def job_policy(role: str, parts: Iterable[Checked], around: Surroundings) -> Policy:
    """What the jobs do that run as ``role``; the pipeline makes them as its own."""
    found: list[Need] = []
    for each in parts:
        named = {placed.step.name for placed in each.definition.placed() if role in roles_of(placed.step)}
        for need in execution_needs(each, around) if not each.definition.of_resources else ():
            actions = tuple(action for action in need.actions if action.startswith(OF_JOBS))
            if need.step in named and actions:
                found.append(replace(need, actions=actions))
    return policy(found)


def upsert_policy(parts: Iterable[tuple[Checked, Beside]], around: Surroundings) -> Policy:
    return policy(_deployed(parts, around))


def plan_policy(parts: Iterable[tuple[Checked, Beside]], around: Surroundings) -> Policy:
    """What of the same only asks, and what `mlops promote --dry-run` asks."""
    return policy(_asking([*_deployed(parts, around), *promoter_needs(around)]))


def promote_policy(around: Surroundings) -> Policy:
    return policy(promoter_needs(around))


def web_trust(host: str, audience: str, subjects: Iterable[str], around: Surroundings) -> dict[str, Any]:
    """Of tokens that ``host`` signed for ``audience``, of those ``subjects`` alone; one with a star is a pattern."""
    found = sorted(subjects)
    operator = "StringLike" if any(STAR in subject for subject in found) else "StringEquals"
    conditions: dict[str, dict[str, Any]] = {"StringEquals": {f"{host}:aud": audience}}
    told = {f"{host}:sub": found[0] if len(found) == 1 else found}
    conditions = {**conditions, operator: {**conditions.get(operator, {}), **told}}
    provider = f"arn:{around.partition}:iam::{account_of(around)}:oidc-provider/{host}"
    statement = {
        "Sid": "FromCi",
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _of_any_job(around: Surroundings) -> Iterator[Need]:
    """Below the environment's prefix, where code and results lie."""
    bucket = bucket_arn(around.bucket, around)
    below = "/".join(filter(None, (bucket, around.prefix, STAR)))
    yield Need("ReadObjects", ("s3:GetObject",), (below,), _EVERY)
    yield Need("WriteObjects", ("s3:AbortMultipartUpload", "s3:PutObject"), (below,), _EVERY)
    yield Need("ListBuckets", ("s3:ListBucket",), (bucket,), _EVERY)
    yield Need("WriteLogs", LOGS, (arn_of(around, "logs", "log-group:/aws/sagemaker/*"),), _EVERY)
    if around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKeys", ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"), (arn,), _EVERY, conditions)


def _deployed(parts: Iterable[tuple[Checked, Beside]], around: Surroundings) -> list[Need]:
    return [need for checked, beside in parts for need in deployer_needs(checked.definition, around, beside)]


def _asking(needs: Iterable[Need]) -> Iterator[Need]:
    for need in needs:
        # What is encrypted is read by the key's leave.
        asked = (action for action in need.actions if action == "kms:Decrypt" or _asks(action))
        yield replace(need, actions=tuple(asked))


def _asks(action: str) -> bool:
    return action.partition(":")[2].startswith(_ASKS)
