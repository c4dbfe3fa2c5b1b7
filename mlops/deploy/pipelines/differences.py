"""What differs beside the definition: settings of the pipeline, its tags, and the resources that belong to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.deploy.pipelines.state import PipelineState
from mlops.deploy.resources import resource_types
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_value
from mlops.ir.resource import Resource, fingerprint

_TAG = "tag "


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A member of the pipeline resource, a tag included (``tag team``). A side without it is None."""

    member: str
    old: Any
    new: Any

    @property
    def tag(self) -> str:
        return self.member.removeprefix(_TAG)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """``old`` are the properties of what is there, ``new`` what is wanted. ``drifted``: what is there is neither what
    we wrote nor what is wanted. ``anew``: it has to go first, since what differs of it cannot be changed."""

    type: str
    name: str
    old: Mapping[str, Any] | None
    new: Resource | None
    drifted: bool = False
    anew: bool = False

    @property
    def key(self) -> str:
        return f"{self.type} {self.name}"


def setting_changes(there: PipelineState | None, state: PipelineState) -> tuple[SettingChange, ...]:
    if there is None:
        return ()
    pairs = (
        ("role", there.role, state.role),
        ("description", there.description, state.description),
        ("display_name", there.display_name, state.display_name),
        ("parallelism", there.parallelism, state.parallelism),
    )
    return tuple(SettingChange(member, hide(old), hide(new)) for member, old, new in pairs if old != new)


def tag_changes(
    there: Mapping[str, str], declared: Mapping[str, str], ours: Mapping[str, str]
) -> tuple[SettingChange, ...]:
    """What is declared and not so yet, and what we set and is declared no more. Tags of others stay, also one that was
    ours and has got another value.

    >>> [(item.tag, item.old, item.new) for item in tag_changes({"a": "1", "b": "2"}, {"a": "3"}, {})]
    [('a', '1', '3')]
    """
    known = fingerprints(there)
    left = {key: None for key, told in ours.items() if key not in declared and known.get(key) == told}
    return tuple(
        SettingChange(f"{_TAG}{key}", hide_value(key, there.get(key)), hide_value(key, value))
        for key, value in sorted({**declared, **left}.items())
        if there.get(key) != value
    )


def fingerprints(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: hashlib.sha256(value.encode()).hexdigest() for key, value in tags.items()}


def resource_changes(
    there: Mapping[str, Mapping[str, Any] | None], declared: Sequence[Resource], recorded: Mapping[str, str]
) -> tuple[ResourceChange, ...]:
    """``there`` are properties by key, None for what is not there; ``recorded`` fingerprints of what we wrote. What is
    recorded and was not looked for is of a type that is not known here, and stays."""
    found: list[ResourceChange] = []
    for resource in declared:
        old, new = there.get(resource.key), resource.plain
        if old is None or fingerprint(old) != fingerprint(new):
            anew = old is not None and resource_types()[resource.type].makes_anew(old, new)
            found.append(
                ResourceChange(resource.type, resource.name, old, resource, _drifted(resource.key, old, recorded), anew)
            )
    for key in sorted(set(recorded) - {resource.key for resource in declared}):
        old = there.get(key)
        if old is not None:
            kind, _, name = key.partition(" ")
            found.append(ResourceChange(kind, name, old, None, _drifted(key, old, recorded)))
    return tuple(found)


def _drifted(key: str, old: Mapping[str, Any] | None, recorded: Mapping[str, str]) -> bool:
    return old is not None and recorded.get(key) != fingerprint(old)
