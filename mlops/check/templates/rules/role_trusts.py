"""Roles of a template: the services that they are given to, and names of their own policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot, called_twice
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T087": Told(
        "role-of-another-service",
        Severity.WARNING,
        """A resource is given a role of the same template whose trust policy does not let its service in: what it
does fails, or it is not made.

Bad:  Role: {… Principal: {Service: ec2.amazonaws.com}}  Pipeline: {… RoleArn: !GetAtt Role.Arn}
Good: Role: {… Principal: {Service: sagemaker.amazonaws.com}}""",
    ),
    "T088": Told(
        "repeated-policy",
        Severity.ERROR,
        """Two policies of a role's own have one name: the later one is put over the earlier one, or the stack fails.

Bad:  Policies: [{PolicyName: data, …}, {PolicyName: data, …}]
Good: Policies: [{PolicyName: data, …}, {PolicyName: logs, …}]""",
    ),
}
_SERVICES = {
    "AWS::SageMaker::": "sagemaker.amazonaws.com",
    "AWS::KinesisFirehose::": "firehose.amazonaws.com",
}
_MEMBERS = frozenset({"RoleArn", "RoleARN", "ExecutionRoleArn", "ExecutionRole", "ImageRoleArn"})
_ROLE = "AWS::IAM::Role"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    resources = tuple(template.resources(scenario))
    roles = {item.name: item for item in resources if item.type == _ROLE}
    for resource in resources:
        service = next((name for prefix, name in _SERVICES.items() if resource.type.startswith(prefix)), None)
        if service is not None:
            yield from _given(template, resource, service, roles)
        elif resource.type.startswith("AWS::IAM::"):
            yield from _named_twice(resource)


def _given(template: Template, resource: Resource, service: str, roles: Mapping[str, Resource]) -> Iterator[Fault]:
    for spot in resource.properties.walk():
        for member, item in spot.members.items():
            if member not in _MEMBERS:
                continue
            match template.at(item.at):
                case {"Fn::GetAtt": [str(name), "Arn"]} if name in roles:
                    trusted = _trusted(roles[name].properties.get("AssumeRolePolicyDocument"))
                    if trusted is not None and service not in trusted:
                        known = ", ".join(sorted(trusted)) or "no service"
                        said = f"{member} of {resource.label} is the role {name}, which lets in {known}"
                        yield Fault("T087", item.at, said, f"Principal: {{Service: {service}}} in {name}")


def _trusted(trust: Spot | None) -> frozenset[str] | None:
    """Services that may take a role on; None where that is not known."""
    if trust is None or not isinstance(trust.value, dict):
        return None
    found: set[str] = set()
    listed = trust.get("Statement")
    for statement in (listed.items or (listed,)) if listed is not None else ():
        if not isinstance(statement.value, dict):
            return None
        if statement.text("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        if principal is None or not isinstance(principal.value, dict):
            return None  # a star, or nobody knows
        services = principal.get("Service")
        if services is not None:
            for item in services.items or (services,):
                if not isinstance(item.value, str) or "*" in item.value:
                    return None
                found.add(item.value)
    return frozenset(found)


def _named_twice(resource: Resource) -> Iterator[Fault]:
    policies = resource.properties.get("Policies")
    for name, at in called_twice(policies.items if policies is not None else (), "PolicyName"):
        yield Fault("T088", at, f"two policies of {resource.label} are {name!r}", "call one otherwise")
