"""What a role may, as resources: a policy of its own, or as many managed ones as it takes where that is too long for a
role that another pipeline shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.statements import Policy, divided
from mlops.ir import UsageError

ROLE_CHARACTERS = 10_240
"""All inline policies of a role together, white space not counted (guide: IAM quotas)."""
OWN_CHARACTERS = ROLE_CHARACTERS // 2
"""Of one of ours, so that a role has room for two: pipelines of an environment have one role, and the stack of one does
not know the others."""
MANAGED_CHARACTERS = 6_144
MANAGED_POLICIES = 10
"""On one role, before a quota is raised (guide: IAM quotas)."""


def role_policies(logical_id: str, allowed: Policy, role: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """By logical id; none where nothing is allowed. ``name`` is of the pipeline, or of what a file declares. Raises
    UsageError where no role takes it."""
    if not allowed.statements:
        return
    if allowed.characters <= OWN_CHARACTERS:
        yield logical_id, _resource("AWS::IAM::Policy", allowed, role, {"PolicyName": f"mlops-{name}"[:128]})
        return
    parts = divided(allowed, MANAGED_CHARACTERS)
    if len(parts) > MANAGED_POLICIES:
        raise UsageError(
            f"the policy of {name} has {allowed.characters} characters, which is {len(parts)} managed policies, and a "
            f"role takes {MANAGED_POLICIES}",
            hint="let steps read and write below fewer prefixes, or divide the pipeline",
        )
    for number, part in enumerate(parts, 1):
        which = f", {number} of {len(parts)}" if len(parts) > 1 else ""
        told = {"Description": f"{f'What {name} needs'[:900]}{which}"}
        yield f"{logical_id}Part{number}", _resource("AWS::IAM::ManagedPolicy", part, role, told)


def _resource(kind: str, allowed: Policy, role: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Type": kind,
        "Metadata": {"NeededBy": {sid: list(steps) for sid, steps in allowed.needed_by.items()}},
        "Properties": {**told, "Roles": [role], "PolicyDocument": allowed.document},
    }
