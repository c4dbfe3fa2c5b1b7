"""Notebook instances, and the scripts of their lifecycle configurations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.knowledge.notebooks import faults

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
_PLAIN = re.compile(rf"[^A-Za-z0-9+/=\s{HOLE}]")
"""Never part of base64."""
_CODES = {told.name: code for code, told in FINDINGS.items()}


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    resources = tuple(template.resources(scenario))
    scripts = {
        item.name: tuple(_scripts(item))
        for item in resources
        if item.type.endswith("::NotebookInstanceLifecycleConfig")
    }
    for resource in resources:
        if resource.name in scripts:
            for content, text in scripts[resource.name]:
                yield from _lifecycle(resource, content, text)
        elif resource.type == "AWS::SageMaker::NotebookInstance" and isinstance(resource.properties.value, dict):
            yield from _notebook(template, resource, scripts)


def _scripts(resource: Resource) -> Iterator[tuple[Spot, str]]:
    for hook in ("OnCreate", "OnStart"):
        listed = resource.properties.get(hook)
        for item in listed.items if listed is not None else ():
            content = item.get("Content")
            if content is None:
                continue
            if isinstance(content.value, str):
                yield content, content.value
            elif content.draft is not None and (HOLE not in content.draft or _PLAIN.search(content.draft)):
                yield content, content.draft


def _lifecycle(resource: Resource, content: Spot, text: str) -> Iterator[Fault]:
    for fault in faults.of_script(text, resource.label):
        # How long it may be where it stands encoded, its schema says.
        if fault.name != "script-too-long" or content.made:
            yield Fault(_CODES[fault.name], content.at, fault.said, fault.mend)


def _notebook(
    template: Template, resource: Resource, scripts: Mapping[str, tuple[tuple[Spot, str], ...]]
) -> Iterator[Fault]:
    written = template.written[resource.name].get("Properties") or {}
    name = _named(written.get("LifecycleConfigName"))
    given = scripts.get(name, ()) if name is not None else ()
    known = [(str(name), script) for _, text in given if (script := faults.decoded(text)) is not None]
    told = {member: _plain(spot) for member, spot in resource.properties.members.items()}
    for fault in faults.of_instance(told, resource.label, known):
        yield Fault(_CODES[fault.name], _at(resource.properties, fault.at), fault.said, fault.mend)


def _plain(spot: Spot) -> object:
    return [item.value for item in spot.items] if isinstance(spot.value, tuple) else spot.value


def _at(spot: Spot, path: Sequence[str | int]) -> str:
    for step in path:
        spot = spot.items[step] if isinstance(step, int) else spot.members[step]
    return spot.at


def _named(written: object) -> str | None:
    match written:
        case {"Fn::GetAtt": [str(name), *_]} | {"Ref": str(name)}:
            return name
    return None
