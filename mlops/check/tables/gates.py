"""Gates, against what the versions of the project's pipelines can have."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlops.check.rules.script_reports import registered_numbers
from mlops.check.subject import Subject
from mlops.check.tables import finding
from mlops.ir import Checked, Finding, Severity
from mlops.ir.choices import instead
from mlops.ir.members import get
from mlops.project.environments import Environment, Project


def gates_that_never_pass(
    environment: Environment, project: Project, pipelines: Sequence[Checked]
) -> Iterator[Finding]:
    gates = environment.promote.get("gates")
    if not isinstance(gates, dict):
        return
    root = project.root
    yield from _after(gates.get("after"), environment, project)
    yield from _functions(gates.get("python"), environment.name, root)
    registering = [
        checked
        for checked in pipelines
        if any(item.step.type == "RegisterModel" for item in checked.definition.placed())
    ]
    if not registering:
        return
    brought = [_reports(checked) for checked in registering]
    listed = gates.get("reports")
    for name in listed if isinstance(listed, list) else ():
        if isinstance(name, str) and not any(name in reports for reports in brought):
            message = f"no registration of this project brings {name}"
            help_text = "add it to the metrics of RegisterModel, or take it out"
            yield finding("A054", root, environment.name, ("promote", "gates", "reports"), message, help_text)
    numbers = _numbers(registering)
    for gate in ("metrics", "not-worse"):
        limits = gates.get(gate)
        for name in limits if numbers is not None and isinstance(limits, dict) else ():
            if not any(name == known or name.startswith(f"{known}.") for known in numbers or ()):
                others = instead(name, sorted(numbers or ()), "they have")
                message = f"no report of this project has a number {name!r}{others}"
                yield finding("A054", root, environment.name, ("promote", "gates", gate, name), message)


def _after(name: object, environment: Environment, project: Project) -> Iterator[Finding]:
    if not isinstance(name, str):
        return
    inside, chain = ("promote", "gates", "after"), project.chain
    if name not in project.environments and name not in project.incomplete:
        message = f"there is no environment {name!r}{instead(name, sorted(project.environments))}"
        yield finding("A050", project.root, environment.name, inside, message)
    elif name == environment.name:
        message = f"{name} wants to be passed before itself"
        yield finding("A054", project.root, environment.name, inside, message, severity=Severity.ERROR)
    elif name in chain and environment.name in chain and chain.index(name) > chain.index(environment.name):
        message = f"{name} has to be passed before, and comes behind {environment.name} in the chain"
        help_text = "turn the chain round, or name an environment that comes before"
        yield finding("A054", project.root, environment.name, inside, message, help_text, Severity.ERROR)


def _functions(named: object, environment: str, root: Path) -> Iterator[Finding]:
    inside = ("promote", "gates", "python")
    for item in [named] if isinstance(named, str) else named if isinstance(named, list) else ():
        file, colon, function = str(item).rpartition(":")
        path = root / file
        if not colon or not file.endswith(".py"):
            continue  # the reader of the table tells it
        if not path.is_file():
            yield finding("A050", root, environment, inside, f"there is no file {file}", "it lies beside mlops.toml")
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError) as error:
            yield finding("A050", root, environment, inside, f"{file} is no Python: {error}")
            continue
        known = _given(tree)
        if known is not None and function not in known:
            yield finding(
                "A050",
                root,
                environment,
                inside,
                f"{file} has no function {function}{instead(function, sorted(known))}",
            )


def _given(tree: ast.Module) -> set[str] | None:
    """The names of a file; None where it takes over those of others."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {alias.asname or alias.name for alias in names}
            case ast.Expr() | ast.AnnAssign():
                pass
            case _:
                return None
    return None if "*" in found else found


def _reports(checked: Checked) -> set[str]:
    found: set[str] = set()
    for placed in checked.definition.placed():
        metrics = get(placed.step.arguments, "ModelMetrics") if placed.step.type == "RegisterModel" else None
        for family, kinds in metrics.items() if isinstance(metrics, Mapping) else ():
            found |= {f"{family}.{kind}" for kind in kinds} if isinstance(kinds, Mapping) else set()
    return found


def _numbers(registering: Sequence[Checked]) -> set[str] | None:
    """What the reports of registered versions have; None where one of them is not known for certain."""
    found: set[str] = set()
    for checked in registering:
        numbers = registered_numbers(Subject(checked.definition, checked.step_types))
        if numbers is None:
            return None
        found |= numbers
    return found
