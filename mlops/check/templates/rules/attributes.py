"""What a resource says of itself beside its properties, and what things may be called (guide: Resource attributes,
Template sections)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, called_twice
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer

FINDINGS: Mapping[str, Told] = {
    "T009": Told(
        "wrong-attribute",
        Severity.ERROR,
        """A resource's attribute has a value that there is not, a mapping is deeper than two keys, the template says
another version than the one that there is, something has a name of other characters than letters and digits, or a tag
has one that is AWS's or twice there.

Bad:  DeletionPolicy: Keep
Good: DeletionPolicy: Retain""",
    ),
}
_KEPT: Mapping[str, tuple[str, ...]] = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
_SNAPSHOTS = re.compile(r"AWS::(?:EC2::Volume|ElastiCache|Neptune|RDS|Redshift|DocDB|FSx)\b.*")
"""Of other types none is taken."""
_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_NAMED = ("Parameters", "Resources", "Outputs")
_VERSION = "2010-09-09"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    for resource in template.resources(scenario):
        yield from _tags(resource)
    if scenario is not template.scenarios[0]:
        return  # nothing here depends on a condition
    version = template.raw.get("AWSTemplateFormatVersion")
    if version is not None and str(version) != _VERSION:
        said = f"there is no version {str(version)!r} of templates"
        yield Fault("T009", "/AWSTemplateFormatVersion", said, f"AWSTemplateFormatVersion: '{_VERSION}'")
    if not isinstance(template.raw.get("Description", ""), str):
        yield Fault("T009", "/Description", "the Description of a template is a text")
    yield from _mappings(template)
    for section in _NAMED:
        for name in template.section(section):
            if _NAME.fullmatch(name) is None and not name.startswith("Fn::"):
                at = f"/{section}{pointer(name)}"
                yield Fault("T009", at, f"{name} is no name in {section}: that has letters and digits alone")
    for name, written in template.written.items():
        if name in template.section("Parameters"):
            yield Fault("T009", template.resources_at[name], f"a parameter is {name}, too", "call one otherwise")
        if isinstance(written, dict):
            yield from _waits(name, written, template.resources_at[name])
            yield from _kept(name, written, template.resources_at[name])


def _mappings(template: Template) -> Iterator[Fault]:
    """Two keys lead to a text or a list of texts."""
    for name, rows in template.section("Mappings").items():
        for key, row in rows.items() if isinstance(rows, dict) else ():
            for column, value in row.items() if isinstance(row, dict) else ():
                if isinstance(value, dict) and not key.startswith("Fn::") and not template.transformed:
                    at = f"/Mappings{pointer(name, key, column)}"
                    yield Fault("T009", at, f"{column} in the mapping {name} is an object: two keys lead to a text")


def _waits(name: str, written: Mapping[str, Any], at: str) -> Iterator[Fault]:
    waits = written.get("DependsOn")
    for other in waits if isinstance(waits, list) else [waits]:
        if other is not None and not isinstance(other, str):
            yield Fault("T009", f"{at}/DependsOn", f"DependsOn of {name} takes names, and no function")
    if not isinstance(written.get("Condition", ""), str):
        said = f"Condition of {name} takes the name of one"
        yield Fault("T009", f"{at}/Condition", said, "declare it below Conditions")


def _tags(resource: Resource) -> Iterator[Fault]:
    listed = resource.properties.get("Tags")
    tags = listed.items if listed is not None else ()
    for item in tags:
        key = item.text("Key")
        if key is not None and key.lower().startswith("aws:"):
            said = f"a tag of {resource.label} is {key!r}: what begins with aws: is AWS's own"
            yield Fault("T009", item.members["Key"].at, said)
    for key, at in called_twice(tags, "Key"):
        yield Fault("T009", at, f"two tags of {resource.label} are {key!r}", "leave one of them out")


def _kept(name: str, written: Mapping[str, Any], at: str) -> Iterator[Fault]:
    for member, choices in _KEPT.items():
        value = written.get(member)
        if not isinstance(value, str):
            continue
        if value not in choices:
            yield Fault("T009", at + pointer(member), f"{member} of {name} cannot be {value}{instead(value, choices)}")
        elif value == "Snapshot" and _SNAPSHOTS.fullmatch(str(written.get("Type"))) is None:
            yield Fault("T009", at + pointer(member), f"there are no snapshots of {written.get('Type')}", "Retain")
