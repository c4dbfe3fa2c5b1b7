"""A template that is imported and emitted again, beside what it was: each property of what was taken, member by member.

What the two call otherwise without another meaning is made the same here: names of the stack's own, defaults of the
service that the one writes out, policies of a role whatever they are called, the order of tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops.check.templates.reading import read
from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Template
from mlops.emit import targets
from mlops.ir import Event, unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit
from mlops.use_cases.import_template import from_template
from mlops.use_cases.news import Said

TOML = """
[env.production]
account = "111122223333"
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/jobs"
bucket = "acme-ml"
"""
_NAMES = {
    "AWS::SageMaker::Model": "ModelName",
    "AWS::SageMaker::EndpointConfig": "EndpointConfigName",
    "AWS::SageMaker::Endpoint": "EndpointName",
    "AWS::SageMaker::NotebookInstance": "NotebookInstanceName",
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": "NotebookInstanceLifecycleConfigName",
    "AWS::IAM::Role": "RoleName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::KMS::Key": "",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::SageMaker::Domain": "DomainName",
    "AWS::OpenSearchService::Domain": "DomainName",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "AWS::IAM::Role": {"MaxSessionDuration": "3600", "Path": "/"},
    "AWS::KMS::Key": {"EnableKeyRotation": "false", "PendingWindowInDays": "30"},
}
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")


@dataclass(frozen=True)
class Trip:
    """``lost`` are places whose values differ, by type, logical id and property; ``told`` what the import says."""

    text: str
    lost: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def untold(self) -> list[str]:
        """What differs and nobody was told: a note names the resource, and the property or all of it."""
        return [place for place in self.lost if not any(_speaks(note, place) for note in self.told)]


def there_and_back(file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str]) -> Trip:
    said: list[Event] = []
    (folder / "mlops.toml").write_text(TOML)
    monkeypatch.chdir(folder)
    found = from_template(str(file), None, given, "production", said.append)
    (folder / "taken.py").write_text(found.text)
    again = emit(modules(targets)["cloudformation"], str(folder / "taken.py"), "production", unheard, "json").text
    was, is_ = _Form(file.read_bytes(), given), _Form(again.encode(), {})
    told = tuple(item.text for item in said if isinstance(item, Said))
    return Trip(found.text, tuple(_differences(was, is_)), told)


def _speaks(note: str, place: str) -> bool:
    name, _, member = place.partition(".")
    return f": {name} (" in note and (not member or member in note or "stays in the template" in note)


def _differences(was: _Form, is_: _Form) -> Iterator[str]:
    left = dict(is_.found)
    for name, (kind, properties) in was.found.items():
        alike = [other for other, (its, _) in left.items() if its == kind]
        if not alike:
            yield name
            continue
        nearest = min(alike, key=lambda other: len(_apart(properties, left[other][1])))
        yield from (f"{name}.{member}" for member in sorted(_apart(properties, left.pop(nearest)[1])))


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {member for member in {*one, *other} if not _alike(one.get(member), other.get(member))}


def _alike(was: Any, is_: Any) -> bool:
    """What the account alone knew is known by the name that was given; an empty list is none."""
    match was, is_:
        case dict(), dict():
            return was.keys() == is_.keys() and all(_alike(was[key], is_[key]) for key in was)
        case list(), list():
            return len(was) == len(is_) and all(map(_alike, was, is_))
    nothing = (None, [])
    return was == is_ or (was == "<unknown>" and isinstance(is_, str)) or (was in nothing and is_ in nothing)


class _Form:
    """Resources that may be taken, by logical id: type and properties, references by the type that they lead to."""

    def __init__(self, content: bytes, given: Mapping[str, str]) -> None:
        document = read(content, "template.yaml")
        declared = document.value.get("Parameters", {})
        filled = {
            name: {**item, **({"Default": given[name]} if name in given else {})} for name, item in declared.items()
        }
        self._template = Template(replace(document, value={**document.value, "Parameters": filled}))
        first = self._template.scenarios[0]
        account = {"AWS::AccountId": "111122223333", "AWS::Region": "us-east-1"}
        scenario = Scenario({**first.parameters, **account}, first.conditions, first.mappings)
        self._resources = {item.name: item for item in self._template.resources(scenario)}
        self._policies: dict[str, list[Any]] = {}
        for item in self._resources.values():
            if item.type in _POLICIES:
                for role in (self._template.at(f"{item.properties.at}/Roles") or ()) if item.properties else ():
                    own = self._value(item.properties.members["PolicyDocument"])
                    for name in re.findall(r"'Ref': '(\w+)'", str(role)):
                        self._policies.setdefault(name, []).append(own)
        self.found = {
            item.name: (item.type, dict(self._properties(item.name, item.type, item.properties)))
            for item in self._resources.values()
            if item.type in _NAMES
        }

    def _properties(self, name: str, kind: str, properties: Spot) -> Iterator[tuple[str, Any]]:
        told = {member: self._value(spot) for member, spot in properties.members.items() if member != _NAMES[kind]}
        if kind == "AWS::IAM::Role":
            own = [item["PolicyDocument"] for item in told.pop("Policies", ())] + self._policies.get(name, [])
            statements = [item for document in own for item in _several(document["Statement"])]
            bare = ({member: value for member, value in item.items() if member != "Sid"} for item in statements)
            told["Policies"] = list(bare)
        if "Tags" in told:
            told["Tags"] = sorted(told["Tags"], key=str)
        yield from {**_DEFAULTS.get(kind, {}), **told}.items()

    def _value(self, spot: Spot) -> Any:
        if not spot.known:
            found = re.match(r"\{'(?:Ref|Fn::GetAtt)': (?:\[')?'?(\w+)", str(self._template.at(spot.at)))
            target = self._resources.get(found[1]) if found is not None else None
            return f"<{target.type}>" if target is not None else "<unknown>"
        if isinstance(spot.value, dict):
            return {name: self._value(item) for name, item in spot.value.items()}
        if isinstance(spot.value, tuple):
            return [self._value(item) for item in spot.value]
        return str(spot.value).lower() if isinstance(spot.value, bool) else str(spot.value)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
