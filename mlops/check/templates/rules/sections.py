"""What a template is made of: sections, resources, and what they name of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import VARIABLE, Scenario
from mlops.check.templates.template import Fault, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer
from mlops.knowledge.cloudformation import names, schema

FINDINGS: Mapping[str, Told] = {
    "T002": Told(
        "fragment",
        Severity.ERROR,
        """A file holds resources or properties, and no section Resources: CloudFormation takes whole templates
alone.

Bad:  Notebook: {Type: "AWS::SageMaker::NotebookInstance", …}
Good: Resources: {Notebook: {Type: "AWS::SageMaker::NotebookInstance", …}}""",
    ),
    "T003": Told(
        "repeated-member",
        Severity.ERROR,
        """A member stands twice in one object: the later one replaces the earlier one, or the template is refused.

Bad:  {"RoleArn": "…", "RoleArn": "…"}
Good: each once""",
    ),
    "T004": Told(
        "unknown-section",
        Severity.ERROR,
        """A section of the template, or an attribute of a resource, has a name that CloudFormation does not know.

Bad:  Resources: {Model: {Type: …, Propertys: {…}}}
Good: Resources: {Model: {Type: …, Properties: {…}}}""",
    ),
    "T005": Told(
        "unknown-type",
        Severity.ERROR,
        """There is no such type of resource.

Bad:  Type: AWS::SageMaker::Modell
Good: Type: AWS::SageMaker::Model""",
    ),
    "T010": Told(
        "unresolved-reference",
        Severity.ERROR,
        """A template names a parameter, resource, mapping, condition or attribute that it does not have.

Bad:  RoleArn: !GetAtt Role.Arn  without a resource Role
Good: the resource, or a parameter of that name""",
    ),
    "T011": Told(
        "unused-declaration",
        Severity.WARNING,
        """A parameter, mapping or condition is named by nothing: whoever gives it a value changes nothing.

Bad:  Parameters: {Bucket: {Type: String}}  and nobody refers to Bucket
Good: !Ref Bucket where it is meant, or no such parameter""",
    ),
    "T012": Told(
        "circular-reference",
        Severity.ERROR,
        """Resources name each other in a circle, so none can be made first.

Bad:  A: {DependsOn: B}  B: {DependsOn: A}
Good: one of both without the other""",
    ),
}
_SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata", "Outputs"),
    *("Parameters", "Resources", "Rules", "Transform"),
)
_ATTRIBUTES = (
    *("Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type"),
    *("UpdatePolicy", "UpdateReplacePolicy"),
)
_PSEUDO = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix"),
    )
)
_ROLE = "AWS::IAM::Role"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if scenario is not template.scenarios[0]:
        return  # nothing here depends on a condition
    for at in template.document.repeated:
        yield Fault("T003", at, f"{at.rpartition('/')[2]} stands twice", "leave one of them")
    if not isinstance(template.raw.get("Resources"), dict):
        found = ", ".join(template.resources_at) or "no resource"
        yield Fault("T002", "", f"there is no section Resources; found: {found}", "put them below Resources")
        if not template.resources_at:
            return
    elif not template.written and not template.transformed:
        yield Fault("T002", "/Resources", "Resources has none", "declare one")
    else:
        for name in template.raw:
            if name not in _SECTIONS and not name.startswith("Fn::") and not template.transformed:
                said = f"{name} is no section of a template{instead(name, _SECTIONS)}"
                yield Fault("T004", pointer(name), said)
    yield from _resources(template)
    yield from _references(template)
    yield from _circles(template)


def _resources(template: Template) -> Iterator[Fault]:
    for name, written in template.written.items():
        at = template.resources_at[name]
        if not isinstance(written, dict) or not isinstance(written.get("Type"), str):
            yield Fault("T004", at, f"the resource {name} has no Type", "say which: Type: AWS::…")
            continue
        for member in written:
            if member not in _ATTRIBUTES and not _is_of_others(written["Type"]) and not template.transformed:
                yield Fault(
                    "T004",
                    at + pointer(member),
                    f"{member} is no attribute of a resource{instead(member, _ATTRIBUTES)}",
                )
        kind = written["Type"]
        known = names(kind.rpartition("::")[0])
        if known and kind not in known:
            yield Fault("T005", f"{at}/Type", f"there is no type {kind}{instead(kind, known)}")


def _is_of_others(kind: str) -> bool:
    """Custom resources have members of their own."""
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


_GUESSED = 50
DYNAMIC = ""
"""A name that only the account makes."""
Use = tuple[str, str, str]
"""What is named: its kind (of ``_KINDS``), its name, and where."""


def _references(template: Template) -> Iterator[Fault]:
    """Macros make resources that nobody sees here."""
    parameters, resources = template.section("Parameters"), template.written
    guesses: dict[tuple[str, str], str] = {}
    used: dict[str, set[str]] = {"Mappings": set(), "Conditions": set(), "Parameters": set()}
    for kind, name, at in _uses(template):
        used.setdefault(kind, set()).add(name)
        if kind == "value":
            used["Parameters"].add(name)
            there = name in parameters or name in resources or name in _PSEUDO
            known: tuple[Mapping[str, Any], ...] = (parameters, resources)
        elif kind == "resource":
            there, known = name in resources, (resources,)
        elif kind == "attribute":
            yield from _attribute(template, name, at, guesses)
            continue
        else:
            section = template.section(kind)
            there, known = name in section, (section,)
        if not there and name != DYNAMIC and not template.transformed:
            what = "parameter and no resource" if kind == "value" else kind.lower().removesuffix("s")
            yield Fault(
                "T010",
                at,
                f"there is no {what} {name}{_guess(kind, name, known, guesses)}",
                "declare it, or name what is there",
            )
    if template.transformed:
        return
    for part, word in (("Parameters", "parameter"), ("Mappings", "mapping"), ("Conditions", "condition")):
        for name in template.section(part):
            if name not in used[part] and DYNAMIC not in used[part] and not name.startswith("Fn::"):
                yield Fault(
                    "T011",
                    f"/{part}{pointer(name)}",
                    f"nothing names the {word} {name}",
                    "refer to it, or take it out",
                )


def _guess(kind: str, name: str, known: tuple[Mapping[str, Any], ...], guesses: dict[tuple[str, str], str]) -> str:
    """Each name is looked for once, and of very many not each: to compare them all would take minutes."""
    if (kind, name) not in guesses:
        if len(guesses) >= _GUESSED:
            return ""
        guesses[kind, name] = instead(name, [item for section in known for item in section])
    return guesses[kind, name]


def _attribute(template: Template, name: str, at: str, guesses: dict[tuple[str, str], str]) -> Iterator[Fault]:
    resource, _, attribute = name.partition(".")
    kind = template.type_of(resource)
    if resource not in template.written:
        if not template.transformed:
            yield Fault(
                "T010",
                at,
                f"there is no resource {resource}{_guess('resource', resource, (template.written,), guesses)}",
                "declare it, or name what is there",
            )
        return
    found = schema(kind) if kind is not None else None
    if found is None or not attribute:
        return
    told = {*found["attributes"], *(found["properties"] if kind != _ROLE else ())}
    if attribute.partition(".")[0] not in {item.partition(".")[0] for item in told}:
        yield Fault("T010", at, f"{kind} has no attribute {attribute}{instead(attribute, sorted(told))}")


def _uses(template: Template) -> Iterator[Use]:
    for section in ("Resources", "Outputs", "Conditions", "Rules"):
        if section in template.raw:
            yield from _within(template.raw[section], f"/{section}", section == "Conditions")
    if "Resources" not in template.raw:
        for name, written in template.written.items():
            yield from _within(written, template.resources_at[name], False)
    for name, written in (*template.written.items(), *template.section("Outputs").items()):
        if not isinstance(written, dict):
            continue
        at = template.resources_at.get(name, f"/Outputs{pointer(name)}")
        if isinstance(written.get("Condition"), str):
            yield "Conditions", written["Condition"], f"{at}/Condition"
        waits = written.get("DependsOn")
        for other in waits if isinstance(waits, list) else [waits]:
            if isinstance(other, str):
                yield "resource", other, f"{at}/DependsOn"


def _within(value: Any, at: str, conditions: bool) -> Iterator[Use]:
    match value:
        case {"Ref": str(name)} if len(value) == 1:
            yield "value", name, f"{at}/Ref"
        case {"Fn::GetAtt": [str(name), *rest]} if len(value) == 1:
            attribute = ".".join(item for item in rest if isinstance(item, str))
            yield "attribute", f"{name}.{attribute}", f"{at}/Fn::GetAtt"
        case {"Fn::GetAtt": str(name)} if len(value) == 1:
            yield "attribute", name, f"{at}/Fn::GetAtt"
        case {"Condition": str(name)} if len(value) == 1 and conditions:
            yield "Conditions", name, f"{at}/Condition"
        case {"Fn::Sub": inside} if len(value) == 1:
            text, given = (inside, {}) if isinstance(inside, str) else _parts(inside)
            stands = f"{at}/Fn::Sub" if isinstance(inside, str) else f"{at}/Fn::Sub/0"
            for variable in filter(None, map(str.strip, VARIABLE.findall(text))):
                if variable not in given:
                    kind = "attribute" if "." in variable and "::" not in variable else "value"
                    yield kind, variable, stands
            for name, item in given.items():
                yield from _within(item, f"{at}/Fn::Sub/1{pointer(name)}", conditions)
        case dict():
            if len(value) == 1:
                match value:
                    case {"Fn::If": [str(name), *_]}:
                        yield "Conditions", name, f"{at}/Fn::If"
                    case {"Fn::FindInMap": [name, *_]}:
                        yield "Mappings", name if isinstance(name, str) else DYNAMIC, f"{at}/Fn::FindInMap"
            for member, item in value.items():
                yield from _within(item, at + pointer(member), conditions)
        case list():
            for index, item in enumerate(value):
                yield from _within(item, at + pointer(index), conditions)


def _parts(inside: Any) -> tuple[str, Mapping[str, Any]]:
    match inside:
        case [str(text), dict(given)]:
            return text, given
    return "", {}


def _circles(template: Template) -> Iterator[Fault]:
    edges = {name: list(dict.fromkeys(_named(template, name))) for name in template.written}
    done: set[str] = set()
    for start in edges:
        path: dict[str, None] = {}
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, index = stack.pop()
            if index == 0:
                if name in path:
                    above = list(path)
                    circle = " -> ".join((*above[above.index(name) :], name))
                    yield Fault(
                        "T012",
                        _back(template, above[-1], name),
                        f"they name each other: {circle}",
                        "take one of the references out",
                    )
                    return
                if name in done:
                    continue
                path[name] = None
            if index < len(edges[name]):
                stack += [(name, index + 1), (edges[name][index], 0)]
            else:
                path.popitem()
                done.add(name)


def _back(template: Template, name: str, other: str) -> str:
    """Where one names the other."""
    at = template.resources_at[name]
    uses = _within(template.written[name], at, False)
    return next((place for _, used, place in uses if used.partition(".")[0] == other), f"{at}/DependsOn")


def _named(template: Template, name: str) -> Iterator[str]:
    written = template.written[name]
    if str(template.type_of(name)).startswith("AWS::Serverless::"):
        return iter(())  # stands for several, which wait for each other in an order of their own
    found = [item.partition(".")[0] for _, item, _ in _within(written, "", False)]
    waits = written.get("DependsOn") if isinstance(written, dict) else None
    found += [item for item in (waits if isinstance(waits, list) else [waits]) if isinstance(item, str)]
    return (other for other in found if other in template.written)
