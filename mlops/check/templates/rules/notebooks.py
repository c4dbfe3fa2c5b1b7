"""Notebook instances, and the scripts of their lifecycle configurations."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T060": Told(
        "script-not-encoded",
        Severity.ERROR,
        """The script of a lifecycle configuration is no base64: the instance fails when it starts.

Bad:  OnStart: [{Content: "#!/bin/bash …"}]
Good: OnStart: [{Content: !Base64 "#!/bin/bash …"}]""",
    ),
    "T061": Told(
        "script-too-long",
        Severity.ERROR,
        """The script of a lifecycle configuration has more than 16,384 characters in base64.

Bad:  Content: !Base64 of a script of 20,000 characters
Good: a script that fetches the rest from S3""",
    ),
    "T062": Told(
        "no-way-out",
        Severity.ERROR,
        """A notebook instance has no direct internet access and no subnet: CreateNotebookInstance refuses it.

Bad:  DirectInternetAccess: Disabled
Good: DirectInternetAccess: Disabled  SubnetId: …  SecurityGroupIds: […]""",
    ),
    "T063": Told(
        "public-notebook",
        Severity.WARNING,
        """A notebook instance reaches the internet past any network of yours: DirectInternetAccess is Enabled, also
where nothing is said of it.

Bad:  InstanceType: ml.t3.medium
Good: DirectInternetAccess: Disabled  SubnetId: …""",
    ),
    "T064": Told(
        "root-access",
        Severity.WARNING,
        """Who uses a notebook instance is root there: RootAccess is Enabled.

Bad:  RootAccess: Enabled
Good: RootAccess: Disabled""",
    ),
    "T065": Told(
        "accelerators",
        Severity.ERROR,
        """A notebook instance asks for an Elastic Inference accelerator, which the service supports no more.

Bad:  AcceleratorTypes: [ml.eia1.medium]
Good: an instance type that has a GPU""",
    ),
    "T066": Told(
        "old-platform",
        Severity.WARNING,
        """A notebook instance has a platform that gets no updates any more.

Bad:  PlatformIdentifier: notebook-al1-v1
Good: PlatformIdentifier: notebook-al2023-v1""",
    ),
    "T067": Told(
        "needs-the-internet",
        Severity.WARNING,
        """A notebook instance without direct internet access clones from the internet, or its script installs from
there: it needs a way there through its subnet.

Bad:  DirectInternetAccess: Disabled  DefaultCodeRepository: https://github.com/…
Good: a NAT gateway behind the subnet, or a repository in CodeCommit and a mirror of packages""",
    ),
    "T068": Told(
        "inner-shell-goes-on",
        Severity.WARNING,
        """A script hands commands to an inner shell, where its `set -e` does not hold: what fails there goes
unseen.

Bad:  set -e  then  sudo -u ec2-user -i <<EOF … EOF
Good: set -e as the first line of the inner shell, too""",
    ),
}
_LONGEST = 16_384
_OLD = frozenset({"notebook-al1-v1", "notebook-al2-v1"})
_PUBLIC = re.compile(r"https?://(?:[\w-]+\.)*(?:github\.com|gitlab\.com|bitbucket\.org)/")
_INSTALLS = re.compile(r"^\s*(?:sudo\s+)?(?:pip3?|conda|mamba|yum|dnf|apt-get|npm)\s+install\b", re.MULTILINE)
_HEREDOC = re.compile(
    r"^[^#\n]*(?:sudo|bash|sh|su)\b[^\n]*<<-?\s*['\"]?(\w+)['\"]?\s*$(.*?)^\s*\1\s*$", re.MULTILINE | re.DOTALL
)
_STOPS = re.compile(r"^\s*set\s+-\w*e", re.MULTILINE)


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    resources = tuple(template.resources(scenario))
    scripts = {
        item.name: tuple(_scripts(item))
        for item in resources
        if item.type.endswith("::NotebookInstanceLifecycleConfig")
    }
    for resource in resources:
        if resource.name in scripts:
            yield from _lifecycle(resource, scripts[resource.name])
        elif resource.type == "AWS::SageMaker::NotebookInstance" and isinstance(resource.properties.value, dict):
            yield from _notebook(template, resource, scripts)


def _scripts(resource: Resource) -> Iterator[tuple[Spot, str | None]]:
    """With the text, where it is base64 of one."""
    for hook in ("OnCreate", "OnStart"):
        listed = resource.properties.get(hook)
        for item in listed.items if listed is not None else ():
            content = item.get("Content")
            if content is not None and isinstance(content.value, str):
                yield content, _decoded(content.value)


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _lifecycle(resource: Resource, scripts: tuple[tuple[Spot, str | None], ...]) -> Iterator[Fault]:
    for content, script in scripts:
        if script is None:
            yield Fault("T060", content.at, f"a script of {resource.label} is no base64", "write it behind !Base64")
        elif len(content.value) > _LONGEST and content.made:
            said = (
                f"a script of {resource.label} has {len(content.value):,} characters in base64, and {_LONGEST:,} may be"
            )
            yield Fault("T061", content.at, said, "fetch the rest from S3")
        if script is not None and len(script) <= _LONGEST:
            inner = _HEREDOC.search(script)
            if inner is not None and _STOPS.search(script[: inner.start()]) and not _STOPS.search(inner[2]):
                said = f"a script of {resource.label} stops at errors, and its inner shell does not"
                yield Fault("T068", content.at, said, f"set -e behind <<{inner[1]}")


def _notebook(
    template: Template, resource: Resource, scripts: Mapping[str, tuple[tuple[Spot, str | None], ...]]
) -> Iterator[Fault]:
    properties = resource.properties
    direct, subnet = properties.get("DirectInternetAccess"), properties.get("SubnetId")
    closed = direct is not None and direct.value == "Disabled"
    if direct is not None and closed and subnet is None:
        yield Fault(
            "T062",
            direct.at,
            f"{resource.label} has no internet access and no subnet",
            "give SubnetId and SecurityGroupIds",
        )
    elif direct is None or direct.value == "Enabled":
        at = direct.at if direct is not None else properties.at
        said = f"{resource.label} reaches the internet past your network"
        yield Fault("T063", at, said, "DirectInternetAccess: Disabled, and a SubnetId")
    root = properties.get("RootAccess")
    if root is not None and root.value == "Enabled":
        yield Fault("T064", root.at, f"who uses {resource.label} is root there", "RootAccess: Disabled")
    accelerators = properties.get("AcceleratorTypes")
    if accelerators is not None:
        yield Fault(
            "T065", accelerators.at, f"{resource.label} asks for Elastic Inference, which is no more", "leave it out"
        )
    platform = properties.get("PlatformIdentifier")
    if platform is not None and platform.value in _OLD:
        yield Fault("T066", platform.at, f"{platform.value} of {resource.label} gets no updates", "notebook-al2023-v1")
    if closed:
        yield from _outward(template, resource, scripts)


def _outward(
    template: Template, resource: Resource, scripts: Mapping[str, tuple[tuple[Spot, str | None], ...]]
) -> Iterator[Fault]:
    properties = resource.properties
    more = properties.get("AdditionalCodeRepositories")
    for repository in (properties.get("DefaultCodeRepository"), *(more.items if more is not None else ())):
        if repository is not None and isinstance(repository.value, str) and _PUBLIC.match(repository.value):
            said = f"{resource.label} has no internet access of its own and clones {repository.value}"
            yield Fault(
                "T067", repository.at, said, "give its subnet a NAT gateway, or take a repository in your network"
            )
    written = template.written[resource.name].get("Properties", {}).get("LifecycleConfigName")
    name = _named(written)
    for _, script in scripts.get(name, ()) if name is not None else ():
        if script is not None and len(script) <= _LONGEST and _INSTALLS.search(script):
            said = f"{resource.label} has no internet access of its own, and its script {name} installs packages"
            yield Fault(
                "T067", properties.members["LifecycleConfigName"].at, said, "give its subnet a NAT gateway, or a mirror"
            )


def _named(written: object) -> str | None:
    match written:
        case {"Fn::GetAtt": [str(name), *_]} | {"Ref": str(name)}:
            return name
    return None
