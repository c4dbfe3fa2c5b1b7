"""Outputs, and what names a resource that a condition leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Fault, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead
from mlops.ir.values import pointer

FINDINGS: Mapping[str, Told] = {
    "T008": Told(
        "wrong-output",
        Severity.ERROR,
        """An output has no value, a member that there is not, or is exported under the name of another one.

Bad:  Outputs: {Arn: {Values: !GetAtt Model.ModelName}}
Good: Outputs: {Arn: {Value: !GetAtt Model.ModelName}}""",
    ),
    "T013": Told(
        "left-out-by-a-condition",
        Severity.ERROR,
        """A resource is made under a condition, and something that is there without it names the resource: where
the condition does not hold the stack fails.

Bad:  Outputs: {Arn: {Value: !GetAtt Group.ModelPackageGroupArn}}  Group: {Condition: IsProduction, …}
Good: Outputs: {Arn: {Condition: IsProduction, Value: …}}, or !If [IsProduction, …, !Ref "AWS::NoValue"]""",
    ),
}
_MEMBERS = ("Condition", "Description", "Export", "Value")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    yield from _outputs(template, scenario)
    # Rules may forbid what would lead there.
    if not template.transformed and "Rules" not in template.raw:
        yield from _left_out(template, scenario)


def _outputs(template: Template, scenario: Scenario) -> Iterator[Fault]:
    exported: dict[str, str] = {}
    for name, written in template.section("Outputs").items():
        if name.startswith("Fn::"):
            continue
        at = f"/Outputs{pointer(name)}"
        if not isinstance(written, dict):
            yield Fault("T008", at, f"the output {name} is no object", "Value: …")
            continue
        for member in written:
            if member not in _MEMBERS:
                yield Fault("T008", at + pointer(member), f"an output has no {member}{instead(member, _MEMBERS)}")
        if "Value" not in written:
            yield Fault("T008", at, f"the output {name} has no Value", "give Value")
        if not template.is_made(written, scenario):
            continue
        export = written.get("Export")
        called = export.get("Name") if isinstance(export, dict) else None
        if export is not None and called is None:
            yield Fault("T008", f"{at}/Export", f"the output {name} is exported under no name", "Export: {Name: …}")
        if called is None:
            continue
        if (other := exported.setdefault(repr(called), name)) != name:
            yield Fault("T008", f"{at}/Export", f"{other} and {name} are exported under one name", "name one otherwise")


def _left_out(template: Template, scenario: Scenario) -> Iterator[Fault]:
    missing = {
        name: written["Condition"]
        for name, written in template.written.items()
        if isinstance(written, dict) and not template.is_made(written, scenario)
    }
    if not missing:
        return
    for value, at in template.reached(scenario):
        if len(value) != 1:
            continue
        ((function, inside),) = value.items()
        for name in dict.fromkeys(_names(function, inside)):
            if name in missing:
                said = f"{name} is made under the condition {missing[name]}, and this is there without it"
                mend = f'!If [{missing[name]}, …, !Ref "AWS::NoValue"], or the same condition here'
                yield Fault("T013", at + pointer(function), said, mend)


def _names(function: str, inside: Any) -> Iterator[str]:
    match function, inside:
        case "Ref", str(name):
            yield name
        case "Fn::GetAtt", [str(name), *_]:
            yield name
        case "Fn::GetAtt", str(text):
            yield text.partition(".")[0]
        case "Fn::Sub", str(text):
            yield from Template.variables(text)
        case "Fn::Sub", [str(text), dict(given)]:
            yield from (name for name in Template.variables(text) if name not in given)
