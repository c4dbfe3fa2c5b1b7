"""Spaces of Studio by the month: a volume at any rate, and an instance for as long as the application runs, which
somebody opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, at_least, together, unknown
from mlops.ir import Placed, Ref, Value
from mlops.ir.members import get
from mlops.knowledge.prices import HOURS_OF_A_MONTH, STUDIO, VOLUME

_APPLICATIONS = {"JupyterLab": "JupyterLabAppSettings", "CodeEditor": "CodeEditorAppSettings"}
_SMALLEST = 5
"""GB, of the guide: what a space has where nothing is said."""


def month(asked: Asked, placed: Placed, space: Mapping[str, Value]) -> Bounds:
    settings = space.get("SpaceSettings")
    told = get(settings, "SpaceStorageSettings", "EbsStorageSettings", "EbsVolumeSizeInGb")
    size = asked.number(told, _SMALLEST)
    volume = unknown("the size of its volume is known later") if size is None else asked.priced(STUDIO, VOLUME, size)
    return together([volume, _application(asked, space)])


def _application(asked: Asked, space: Mapping[str, Value]) -> Bounds:
    """Without an idle shutdown one that was opened runs on, which is to be expected then."""
    settings = space.get("SpaceSettings")
    member = _APPLICATIONS.get(asked.text(get(settings, "AppType")) or "", "")
    kind = asked.text(get(settings, member, "DefaultResourceSpec", "InstanceType"))
    if kind is None:
        return at_least("its instance is chosen when it is opened")
    found = asked.priced(STUDIO, kind, 0, HOURS_OF_A_MONTH)
    return found if _may_idle(asked, space, member) else replace(found, expected=found.upper)


def _may_idle(asked: Asked, space: Mapping[str, Value], member: str) -> bool:
    """By its own settings, or those of its domain and the domain's users, which hold where it has none; by a domain
    that is not known it may, too."""
    domain = space.get("DomainId")
    path = domain.path if isinstance(domain, Ref) else None
    domains = [told for placed, told in asked.subject.of_type("StudioDomain") if path and path.name == placed.step.name]
    users = [told for _, told in asked.subject.of_type("UserProfile") if told.get("DomainId") == domain]
    settings = [
        space.get("SpaceSettings"),
        *(get(told, "DefaultUserSettings") for told in domains),
        *(get(told, "DefaultSpaceSettings") for told in domains),
        *(get(told, "UserSettings") for told in users),
    ]
    return not domains or any(get(each, member, "AppLifecycleManagement") is not None for each in settings)
