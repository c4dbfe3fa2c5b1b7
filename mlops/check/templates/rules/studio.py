"""Studio's domains, users and spaces: what CreateDomain, CreateUserProfile and CreateSpace say of members that go
together, and scripts of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.knowledge.notebooks.faults import decoded

FINDINGS: Mapping[str, Told] = {
    "T090": Told(
        "studio-members-apart",
        Severity.ERROR,
        """A domain of Studio that keeps to a VPC names none, a user's log-in or a space's owner is said by half, or
a script is no base64.

Bad:  AppNetworkAccessType: VpcOnly
Good: AppNetworkAccessType: VpcOnly  VpcId: vpc-…  SubnetIds: [subnet-…]""",
    ),
    "T091": Told(
        "studio-classic-application",
        Severity.WARNING,
        """A domain, a user, a space, an application or a script is of Studio Classic, which nobody new is given.

Bad:  DefaultUserSettings: {KernelGatewayAppSettings: {…}}
Good: DefaultUserSettings: {JupyterLabAppSettings: {…}}""",
    ),
}
_CLASSIC = ("JupyterServerAppSettings", "KernelGatewayAppSettings")
_CLASSIC_TYPES = ("JupyterServer", "KernelGateway")
_TOGETHER: Mapping[str, tuple[str, str]] = {
    "AWS::SageMaker::UserProfile": ("SingleSignOnUserIdentifier", "SingleSignOnUserValue"),
    "AWS::SageMaker::Space": ("SpaceSharingSettings", "OwnershipSettings"),
}


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if not resource.type.startswith("AWS::SageMaker::") or not isinstance(resource.properties.value, dict):
            continue
        yield from _together(resource)
        yield from _classic(resource)
        if resource.type == "AWS::SageMaker::Domain":
            yield from _network(resource)
        elif resource.type == "AWS::SageMaker::StudioLifecycleConfig":
            content = resource.properties.text("StudioLifecycleConfigContent")
            if content is not None and decoded(content) is None:
                at = resource.properties.members["StudioLifecycleConfigContent"].at
                yield Fault("T090", at, f"the script of {resource.label} is no base64", "!Base64 before the script")


def _network(resource: Resource) -> Iterator[Fault]:
    if resource.properties.text("AppNetworkAccessType") != "VpcOnly":
        return
    lacking = [member for member in ("VpcId", "SubnetIds") if member not in resource.properties.members]
    if lacking:
        said = f"{resource.label} keeps to its VPC, and lacks {' and '.join(lacking)}"
        yield Fault("T090", resource.properties.members["AppNetworkAccessType"].at, said, f"give {lacking[0]}")


def _together(resource: Resource) -> Iterator[Fault]:
    pair = _TOGETHER.get(resource.type, ())
    there = [member for member in pair if member in resource.properties.members]
    if len(there) == 1:
        other = next(member for member in pair if member not in there)
        at = resource.properties.members[there[0]].at
        yield Fault("T090", at, f"{resource.label} has {there[0]} and no {other}", f"give {other}")


def _classic(resource: Resource) -> Iterator[Fault]:
    for spot in resource.properties.walk():
        for member, item in spot.members.items():
            if member in _CLASSIC or (
                member.endswith("AppType") and isinstance(item.value, str) and item.value in _CLASSIC_TYPES
            ):
                what = member if member in _CLASSIC else item.value
                said = f"{resource.label} has {what}, which is of Studio Classic"
                yield Fault("T091", item.at, said, "JupyterLab or CodeEditor")
