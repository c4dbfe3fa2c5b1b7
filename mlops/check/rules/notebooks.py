"""Notebook instances and the scripts of their lifecycle configurations, which are declared beside pipelines: by what is
said of them in templates too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops.check.notebook_scripts import CONFIG, contents, scripts
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity
from mlops.ir.resource import NAME
from mlops.ir.values import pointer

if TYPE_CHECKING:
    from mlops.knowledge.notebooks import faults

_INSTANCE = "NotebookInstance"
_MENDS = {
    "no-way-out": "give subnet=, or subnets of the environment in mlops.toml",
    "public-notebook": "leave internet= out, and give subnet=",
    "root-access": "leave root= out",
    "old-platform": 'platform="notebook-al2023-v1"',
    "script-not-encoded": "give a file or a text as on_start=, which is encoded then",
}
"""As it is said in Python."""


@rule("X960", "script-not-encoded", Severity.ERROR, source="CreateNotebookInstanceLifecycleConfig API: base64")
def script_not_encoded(subject: Subject) -> Iterator[Fault]:
    """A script of a lifecycle configuration that is given as a member of the request is no base64: the instance fails
    when it starts.

    Bad:  arguments={"OnStart": [{"Content": "#!/bin/bash ..."}]}
    Good: on_start="start.sh"
    """
    yield from _of(subject, "script-not-encoded")


@rule("X961", "no-way-out", Severity.ERROR, source="CreateNotebookInstance API: DirectInternetAccess")
def no_way_out(subject: Subject) -> Iterator[Fault]:
    """A notebook instance has no direct internet access and no subnet: CreateNotebookInstance refuses it.

    Bad:  resources.NotebookInstance("n", instance="ml.t3.medium") where the environment has no subnets
    Good: subnet="subnet-0a1b", security_groups=["sg-0a1b"]
    """
    yield from _of(subject, "no-way-out")


@rule("X962", "public-notebook", Severity.WARNING, source="guide: connect a notebook instance to a VPC")
def public_notebook(subject: Subject) -> Iterator[Fault]:
    """A notebook instance reaches the internet past any network of yours.

    Bad:  internet=True
    Good: subnet="subnet-0a1b", whose route leads to a NAT gateway
    """
    yield from _of(subject, "public-notebook")


@rule("X963", "root-access", Severity.WARNING, source="guide: control root access to a notebook instance")
def root_access(subject: Subject) -> Iterator[Fault]:
    """Who uses a notebook instance is root there. Scripts of its lifecycle configuration run as root in any case.

    Bad:  root=True
    Good: what needs root is done by on_start="start.sh"
    """
    yield from _of(subject, "root-access")


@rule("X964", "accelerators", Severity.ERROR, source="CreateNotebookInstance API: AcceleratorTypes")
def accelerators(subject: Subject) -> Iterator[Fault]:
    """A notebook instance asks for an Elastic Inference accelerator, which the service supports no more.

    Bad:  arguments={"AcceleratorTypes": ["ml.eia1.medium"]}
    Good: instance="ml.g5.xlarge"
    """
    yield from _of(subject, "accelerators")


@rule("X965", "old-platform", Severity.WARNING, source="guide: Amazon Linux of notebook instances")
def old_platform(subject: Subject) -> Iterator[Fault]:
    """A notebook instance has a platform that gets no updates any more.

    Bad:  platform="notebook-al1-v1"
    Good: platform="notebook-al2023-v1"
    """
    yield from _of(subject, "old-platform")


@rule("X966", "needs-the-internet", Severity.WARNING, source="guide: connect a notebook instance to a VPC")
def needs_the_internet(subject: Subject) -> Iterator[Fault]:
    """A notebook instance without direct internet access clones from the internet, or its script installs from there:
    it needs a way there through its subnet.

    Bad:  repository="https://github.com/acme/notebooks"
    Good: a repository in CodeCommit and a mirror of packages, or a NAT gateway and a reason behind `allow`
    """
    yield from _of(subject, "needs-the-internet")


@rule("X967", "inner-shell-goes-on", Severity.WARNING, source="bash: set -e is of one shell")
def inner_shell_goes_on(subject: Subject) -> Iterator[Fault]:
    """A script of a lifecycle configuration hands commands to an inner shell, where its `set -e` does not hold: what
    fails there goes unseen.

    Bad:  set -e  then  sudo -u ec2-user -i <<EOF ... EOF
    Good: set -e as the first line of the inner shell, too
    """
    yield from _of(subject, "inner-shell-goes-on")


def _of(subject: Subject, name: str) -> Iterator[Fault]:
    for placed, arguments in subject.of_type(CONFIG):
        for at, content in contents(arguments):
            for fault in _of_script(content, _label(placed)):
                if fault.name == name:
                    yield _told(fault, f"{at}/Content", placed)
    for placed, arguments in subject.of_type(_INSTANCE):
        from mlops.knowledge.notebooks import faults  # hardly any definition has one

        for fault in faults.of_instance(arguments, _label(placed), scripts(subject, arguments)):
            if fault.name == name:
                yield _told(fault, pointer(*fault.at), placed)


def _told(fault: faults.Fault, at: str, placed: Placed) -> Fault:
    return Fault(f"{placed.pointer}/Arguments{at}", fault.said, _MENDS.get(fault.name, fault.mend), placed)


@lru_cache(64)
def _of_script(content: str, label: str) -> tuple[faults.Fault, ...]:
    from mlops.knowledge.notebooks import faults  # hardly any definition has one

    return tuple(faults.of_script(content, label))


def _label(placed: Placed) -> str:
    return f"{placed.step.members.get(NAME, placed.step.name)} ({placed.step.type})"
