"""Domains of Studio, their users and spaces, which are declared beside pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Placed, Ref, Severity, Value
from mlops.ir.members import get
from mlops.ir.resource import NAME

_DOMAIN, _PROFILE, _SPACE = "StudioDomain", "UserProfile", "Space"
_CLASSIC = ("JupyterServerAppSettings", "KernelGatewayAppSettings")
_APPLICATIONS = ("JupyterLabAppSettings", "CodeEditorAppSettings")
_SETTINGS = ("DefaultUserSettings", "DefaultSpaceSettings", "UserSettings", "SpaceSettings")
_IDLE = ("AppLifecycleManagement", "IdleSettings")
_OUTSIDE = re.compile(r"https://(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|huggingface\.co)/.*")


@rule("X993", "studio-on-the-internet", Severity.WARNING, source="guide: Studio in a VPC")
def studio_on_the_internet(subject: Subject) -> Iterator[Fault]:
    """What people do in a domain of Studio reaches the internet past any network of yours.

    Bad:  resources.StudioDomain("research", vpc="vpc-1", internet=True)
    Good: resources.StudioDomain("research", vpc="vpc-1"), whose subnets lead to a NAT gateway
    """
    for placed, arguments in subject.of_type(_DOMAIN):
        if arguments.get("AppNetworkAccessType") in (None, "PublicInternetOnly"):
            message = f"{_label(placed)} reaches the internet past your network"
            yield Fault(f"{placed.pointer}/Arguments/AppNetworkAccessType", message, "leave internet= out", placed)


@rule("X994", "studio-never-idle", Severity.WARNING, source="guide: idle shutdown of Studio's applications")
def studio_never_idle(subject: Subject) -> Iterator[Fault]:
    """Applications of a domain of Studio run, and cost, until somebody stops them.

    Bad:  resources.StudioDomain("research", vpc="vpc-1", idle=None)
    Good: resources.StudioDomain("research", vpc="vpc-1", idle=60)
    """
    for placed, arguments in subject.of_type(_DOMAIN):
        for application in _APPLICATIONS:
            if not _stops_idle(arguments, application):
                message = f"{_label(placed)} stops no idle {application.removesuffix('AppSettings')}"
                at = f"{placed.pointer}/Arguments/DefaultUserSettings"
                yield Fault(at, message, "give idle= in minutes", placed)
                break


@rule("X995", "studio-classic", Severity.ERROR, source="guide: Studio Classic takes no onboarding")
def studio_classic(subject: Subject) -> Iterator[Fault]:
    """A domain, user or space asks for an application of Studio Classic, which nobody new is given.

    Bad:  arguments={"DefaultUserSettings": {"KernelGatewayAppSettings": {...}}}
    Good: application="JupyterLab", and idle= and repositories= for its settings
    """
    for placed, arguments in subject.of_type(_DOMAIN, _PROFILE, _SPACE):
        for member in _SETTINGS:
            for classic in _CLASSIC:
                if get(arguments, member, classic) is not None:
                    message = f"{_label(placed)} has {classic}, which is of Studio Classic"
                    at = f"{placed.pointer}/Arguments/{member}/{classic}"
                    yield Fault(at, message, "use JupyterLabAppSettings: idle=, repositories=", placed)
            kind = get(arguments, member, "AppType")
            if kind in ("JupyterServer", "KernelGateway"):
                message = f"{_label(placed)} asks for {kind}, which is of Studio Classic"
                at = f"{placed.pointer}/Arguments/{member}/AppType"
                yield Fault(at, message, 'application="JupyterLab"', placed)


@rule(
    "X996",
    "studio-clones-from-outside",
    Severity.WARNING,
    source="guide: Studio in a VPC",
)
def studio_clones_from_outside(subject: Subject) -> Iterator[Fault]:
    """A domain that reaches the internet by its subnets alone, or a user or space of it, clones from there: without a
    way through the subnets that fails.

    Bad:  resources.StudioDomain("research", vpc="vpc-1", repositories=["https://github.com/acme/notebooks"])
    Good: a repository in the network, or a NAT gateway and a reason behind `allow`
    """
    closed = {
        str(placed.step.name)
        for placed, arguments in subject.of_type(_DOMAIN)
        if arguments.get("AppNetworkAccessType") == "VpcOnly"
    }
    for placed, arguments in subject.of_type(_DOMAIN, _PROFILE, _SPACE):
        if _domain_of(placed, arguments) not in closed:
            continue
        # What shared spaces have of the domain is said with what its users have.
        for member in (name for name in _SETTINGS if name != "DefaultSpaceSettings"):
            for at, item in entries(get(arguments, member, "JupyterLabAppSettings"), "CodeRepositories"):
                url = item.get("RepositoryUrl")
                if isinstance(url, str) and _OUTSIDE.fullmatch(url):
                    message = f"{_label(placed)} reaches the internet by its subnets alone, and clones {url}"
                    place = f"{placed.pointer}/Arguments/{member}/JupyterLabAppSettings{at}/RepositoryUrl"
                    yield Fault(place, message, "see that the subnets lead there", placed)


@rule("X997", "idle-without-shutdown", Severity.ERROR, source="CreateSpace API: SpaceIdleSettings")
def idle_without_shutdown(subject: Subject) -> Iterator[Fault]:
    """A space says after how many idle minutes it is stopped, and its domain stops nothing that is idle.

    Bad:  idle=None of the domain and idle=120 of its space
    Good: idle=60 of the domain and idle=120 of its space
    """
    stops = {
        str(placed.step.name)
        for placed, arguments in subject.of_type(_DOMAIN)
        if any(_stops_idle(arguments, application) for application in _APPLICATIONS)
    }
    for placed, arguments in subject.of_type(_SPACE):
        for application in _APPLICATIONS:
            idle = get(arguments, "SpaceSettings", application, *_IDLE)
            if idle is not None and _domain_of(placed, arguments) not in stops:
                message = f"{_label(placed)} is to be stopped when it is idle, and its domain stops nothing"
                at = f"{placed.pointer}/Arguments/SpaceSettings/{application}/{'/'.join(_IDLE)}"
                yield Fault(at, message, "give the domain idle=", placed)


def _stops_idle(domain: Mapping[str, Value], application: str) -> bool:
    return get(domain, "DefaultUserSettings", application, *_IDLE, "LifecycleManagement") == "ENABLED"


def _domain_of(placed: Placed, arguments: Mapping[str, Value]) -> str:
    """The step of its domain."""
    named = arguments.get("DomainId")
    path = named.path if isinstance(named, Ref) else None
    return path.name if path is not None else str(placed.step.name)


def _label(placed: Placed) -> str:
    return f"{placed.step.members.get(NAME, placed.step.name)} ({placed.step.type})"
