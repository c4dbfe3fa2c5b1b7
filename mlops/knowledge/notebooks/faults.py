"""What is wrong with notebook instances and with the scripts of their lifecycle configurations, as they stand in a
request or in a template.

Sources: the API reference of CreateNotebookInstance and CreateNotebookInstanceLifecycleConfig; the guide's pages on
lifecycle configurations, platforms and connecting a notebook instance to a VPC.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

LONGEST = 16_384
"""Characters of a script in base64."""
_OLD = frozenset({"notebook-al1-v1", "notebook-al2-v1"})
_PUBLIC = re.compile(r"https?://(?:[\w-]+\.)*(?:github\.com|gitlab\.com|bitbucket\.org)/")
_INSTALLS = re.compile(r"^\s*(?:sudo\s+)?(?:pip3?|conda|mamba|yum|dnf|apt-get|npm)\s+install\b", re.MULTILINE)
_HEREDOC = re.compile(
    r"^[^#\n]*(?:sudo|bash|sh|su)\b[^\n]*<<-?\s*['\"]?(\w+)['\"]?\s*$(.*?)^\s*\1\s*$", re.MULTILINE | re.DOTALL
)
_STOPS = re.compile(r"^\s*set\s+-\w*e", re.MULTILINE)


class Fault(NamedTuple):
    """``name`` is the fault's, ``at`` the members that lead to its place, below the properties."""

    name: str
    at: Sequence[str | int]
    said: str
    mend: str


def decoded(content: str) -> str | None:
    """The text of a script, None where it is no base64 of one.

    >>> decoded("IyEvYmluL2Jhc2gK"), decoded("#!/bin/bash")
    ('#!/bin/bash\\n', None)
    """
    try:
        return base64.b64decode("".join(content.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def of_script(content: str, label: str) -> Iterator[Fault]:
    """Of a script in base64."""
    script = decoded(content)
    if script is None:
        yield Fault("script-not-encoded", (), f"a script of {label} is no base64", "write it behind !Base64")
        return
    if len(content) > LONGEST:
        said = f"a script of {label} has {len(content):,} characters in base64, and {LONGEST:,} may be"
        yield Fault("script-too-long", (), said, "fetch the rest from S3")
    inner = _HEREDOC.search(script) if len(script) <= LONGEST else None
    if inner is not None and _STOPS.search(script[: inner.start()]) and not _STOPS.search(inner[2]):
        said = f"a script of {label} stops at errors, and its inner shell does not"
        yield Fault("inner-shell-goes-on", (), said, f"set -e behind <<{inner[1]}")


def of_instance(told: Mapping[str, object], label: str, scripts: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    """Of what CreateNotebookInstance is told; what is not known yet is there and no text. ``scripts`` are those of its
    lifecycle configuration, behind the name of that."""
    direct = told.get("DirectInternetAccess")
    closed = direct == "Disabled"
    if closed and "SubnetId" not in told:
        said = f"{label} has no internet access and no subnet"
        yield Fault("no-way-out", ("DirectInternetAccess",), said, "give SubnetId and SecurityGroupIds")
    elif direct is None or direct == "Enabled":
        at = () if direct is None else ("DirectInternetAccess",)
        said = f"{label} reaches the internet past your network"
        yield Fault("public-notebook", at, said, "DirectInternetAccess: Disabled, and a SubnetId")
    if told.get("RootAccess") == "Enabled":
        yield Fault("root-access", ("RootAccess",), f"who uses {label} is root there", "RootAccess: Disabled")
    if "AcceleratorTypes" in told:
        said = f"{label} asks for Elastic Inference, which is no more"
        yield Fault("accelerators", ("AcceleratorTypes",), said, "leave it out")
    platform = told.get("PlatformIdentifier")
    if isinstance(platform, str) and platform in _OLD:
        said = f"{platform} of {label} gets no updates"
        yield Fault("old-platform", ("PlatformIdentifier",), said, "notebook-al2023-v1")
    if closed:
        yield from _outward(told, label, scripts)


def _outward(told: Mapping[str, object], label: str, scripts: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    for at, repository in _repositories(told):
        if isinstance(repository, str) and _PUBLIC.match(repository):
            said = f"{label} has no internet access of its own and clones {repository}"
            mend = "give its subnet a NAT gateway, or take a repository in your network"
            yield Fault("needs-the-internet", at, said, mend)
    for name, script in scripts:
        if len(script) <= LONGEST and _INSTALLS.search(script):
            said = f"{label} has no internet access of its own, and its script {name} installs packages"
            mend = "give its subnet a NAT gateway, or a mirror"
            yield Fault("needs-the-internet", ("LifecycleConfigName",), said, mend)


def _repositories(told: Mapping[str, object]) -> Iterator[tuple[Sequence[str | int], object]]:
    yield ("DefaultCodeRepository",), told.get("DefaultCodeRepository")
    more = told.get("AdditionalCodeRepositories")
    for index, repository in enumerate(more if isinstance(more, list | tuple) else ()):
        yield ("AdditionalCodeRepositories", index), repository
