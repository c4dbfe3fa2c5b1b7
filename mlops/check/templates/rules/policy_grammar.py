"""Policy documents by the grammar of IAM and by its quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.values import pointer
from mlops.knowledge.policies.grammar import Kind, faults, length

FINDINGS: Mapping[str, Told] = {
    "T085": Told(
        "policy-that-is-refused",
        Severity.ERROR,
        """A policy document says what IAM's grammar does not know: a version, a condition's operator, a principal or
an action that there is not, an Action beside a NotAction, a principal among permissions, two statements of one Sid.

Bad:  Condition: {StringEqual: {aws:SourceAccount: "111122223333"}}
Good: Condition: {StringEquals: {aws:SourceAccount: "111122223333"}}""",
    ),
    "T086": Told(
        "policy-too-long",
        Severity.ERROR,
        """A policy has more characters than IAM takes, blanks aside: 6,144 of a managed one, 10,240 of all policies
of a role's own together.

Bad:  a ManagedPolicy that names 200 pipelines one by one
Good: a pattern, or several managed policies""",
    ),
}
_DOCUMENTS = {
    "AWS::IAM::Policy": (("PolicyDocument", Kind.PERMISSIONS),),
    "AWS::IAM::ManagedPolicy": (("PolicyDocument", Kind.PERMISSIONS),),
    "AWS::IAM::RolePolicy": (("PolicyDocument", Kind.PERMISSIONS),),
    "AWS::IAM::UserPolicy": (("PolicyDocument", Kind.PERMISSIONS),),
    "AWS::IAM::GroupPolicy": (("PolicyDocument", Kind.PERMISSIONS),),
    "AWS::IAM::Role": (("AssumeRolePolicyDocument", Kind.TRUST),),
    "AWS::IAM::User": (),
    "AWS::IAM::Group": (),
    "AWS::SageMaker::ModelPackageGroup": (("ModelPackageGroupPolicy", Kind.RESOURCE),),
    "AWS::KMS::Key": (("KeyPolicy", Kind.RESOURCE),),
    "AWS::S3::BucketPolicy": (("PolicyDocument", Kind.RESOURCE),),
    "AWS::OpenSearchService::Domain": (("AccessPolicies", Kind.RESOURCE),),
}
_MANAGED = 6144
_OWN = {"AWS::IAM::Role": 10_240, "AWS::IAM::User": 2048, "AWS::IAM::Group": 5120}
"""Of all policies of its own together (guide: IAM and STS quotas)."""


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if resource.type not in _DOCUMENTS or not isinstance(resource.properties.value, dict):
            continue
        for member, kind in _DOCUMENTS[resource.type]:
            yield from _document(resource, resource.properties.get(member), kind)
        inline = resource.properties.get("Policies")
        own = [document for item in (inline.items if inline is not None else ()) if (document := _inside(item))]
        for document in own:
            yield from _document(resource, document, Kind.PERMISSIONS)
        yield from _long(resource, own)


def _inside(policy: Spot) -> Spot | None:
    return policy.get("PolicyDocument")


def _document(resource: Resource, document: Spot | None, kind: Kind) -> Iterator[Fault]:
    if document is None or not isinstance(document.value, dict):
        return
    for fault in faults(_plain(document) if kind is Kind.TRUST else document.plain(), kind):
        yield Fault(
            "T085",
            document.below(pointer(*fault.at) if fault.at else "").at,
            f"{resource.label}: {fault.said}",
            fault.mend,
        )


def _plain(trust: Spot) -> Any:
    """With identity providers whose ARNs are put together: which one, their ends say."""
    told = trust.plain()
    listed = trust.get("Statement")
    statements = told.get("Statement")
    for index, statement in enumerate(listed.items or (listed,) if listed is not None else ()):
        provider = statement.get("Principal", "Federated")
        if provider is not None and provider.draft is not None:
            item = statements[index] if isinstance(statements, tuple) else statements
            item["Principal"]["Federated"] = provider.draft.replace(HOLE, "…")
    return told


def _long(resource: Resource, own: list[Spot]) -> Iterator[Fault]:
    document = resource.properties.get("PolicyDocument")
    if resource.type == "AWS::IAM::ManagedPolicy" and document is not None:
        found, most, at = length(document.plain()), _MANAGED, document.at
    elif resource.type in _OWN and own:
        found, most, at = sum(length(item.plain()) for item in own), _OWN[resource.type], own[0].at
    else:
        return
    if found > most:
        said = f"the policies of {resource.label} have {found:,} characters, and {most:,} may be"
        yield Fault("T086", at, said, "write patterns for names that are alike, or managed policies beside each other")
