"""The user's file, run, and the pipelines that it makes or that its function gives."""

from __future__ import annotations

import inspect
import os
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops.compose.order import Order
from mlops.declare.load import MODULE, raised, syntax
from mlops.ir import Finding

FUNCTION = "get_pipeline"
"""How SageMaker's project templates call the function that builds the pipeline."""


def pipelines_of(order: Order, findings: list[Finding]) -> list[Any]:
    """The SDK's pipelines that the file made, or that its function gives."""
    try:
        with tokenize.open(order.file) as source:
            code = compile(source.read(), str(order.file), "exec", dont_inherit=True)
    except SyntaxError as error:
        findings.append(syntax(error, order.file))
        return []
    namespace = _executed(order, code, findings)
    if namespace is None:
        return []
    made = {id(item): item for item in namespace.values() if _is_pipeline(item)}
    if order.name is None:
        function = namespace.get(FUNCTION)
        return _called(function, order, findings) if not made and inspect.isfunction(function) else list(made.values())
    named = [item for item in made.values() if text(item.name) == order.name]
    if named:
        return named
    function = namespace.get(order.name)
    if _is_pipeline(function):
        return [function]
    if inspect.isfunction(function):
        return _called(function, order, findings)
    return _of_that_name(order.name, list(made.values()), namespace.get(FUNCTION), order, findings)


def _of_that_name(name: str, made: list[Any], function: object, order: Order, findings: list[Finding]) -> list[Any]:
    """Of what ``get_pipeline`` gives, or a mistake that names what is there."""
    if not made and inspect.isfunction(function):
        made = _called(function, order, findings)
        if not made:
            return []
    named = [item for item in made if text(item.name) == name]
    if not named:
        there = ", ".join(sorted(text(item.name) for item in made))
        help = f"here is {there}" if there else "leave it in a variable, or give it from a function get_pipeline()"
        findings.append(_finding(f"no pipeline and no function is called {name!r}", order.file, 1, help))
    return named


def _executed(order: Order, code: Any, findings: list[Finding]) -> dict[str, Any] | None:
    """The file's names. It runs where it lies; where a file is not found from there, in the project's root again."""
    package = _package(order.file)
    top = order.file.parents[package.count(".") + 1 if package else 0]
    sys.path[:0] = list(dict.fromkeys(map(str, (order.file.parent, top, order.root))))
    failed: Exception | SystemExit | None = None
    for folder in dict.fromkeys((order.file.parent, order.root)):
        os.chdir(folder)
        namespace = {
            "__name__": MODULE,
            "__file__": str(order.file),
            "__package__": package,
            "__builtins__": __builtins__,
        }
        try:
            exec(code, namespace)  # noqa: S102 - a pipeline file is a program
        except (OSError, ValueError) as error:
            failed = failed or error
        except (Exception, SystemExit) as error:
            failed = failed or error
            break
        else:
            return namespace
    if failed is not None:
        findings.append(told_of(failed, order, None))
    return None


def _package(file: Path) -> str:
    """The dotted package of a file that lies in one, so that its relative imports work."""
    names: list[str] = []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _is_pipeline(item: object) -> bool:
    kind = type(item)
    bases = [base for base in kind.__mro__ if base.__name__ == "Pipeline" and base.__module__.startswith("sagemaker")]
    return bool(bases) and callable(getattr(item, "definition", None))


def _called(function: Callable[..., Any], order: Order, findings: list[Finding]) -> list[Any]:
    """What ``get_pipeline`` gives; its arguments are the environment's, by the names that project templates use."""
    facts = order.facts
    known = {
        "region": facts["region"],
        "region_name": facts["region"],
        "aws_region": facts["region"],
        "role": facts["role"],
        "role_arn": facts["role"],
        "execution_role": facts["role"],
        "sagemaker_role": facts["role"],
        "account_id": facts["account"],
        "sagemaker_project_name": facts["project"],
        "project_name": facts["project"],
        "pipeline_name": facts["project"],
        "default_bucket": facts["bucket"],
        "bucket": facts["bucket"],
    }
    given: dict[str, Any] = {}
    line = function.__code__.co_firstlineno
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        # None is what the templates say where the caller knows better.
        if parameter.default is not parameter.empty and (parameter.default is not None or parameter.name not in known):
            continue
        if parameter.name not in known:
            message = f"{function.__name__} wants {parameter.name!r}, and nothing here knows it"
            findings.append(_finding(message, order.file, line, f"give {parameter.name} a default"))
            return []
        given[parameter.name] = known[parameter.name]
    try:
        made = function(**given)
    except (Exception, SystemExit) as error:
        findings.append(told_of(error, order, None))
        return []
    listed = list(made) if isinstance(made, list | tuple) else [made]
    pipelines = [item for item in listed if _is_pipeline(item)]
    if not pipelines:
        findings.append(_finding(f"{function.__name__} gives no pipeline but {type(made).__name__}", order.file, line))
    return pipelines


def told_of(error: BaseException, order: Order, doing: str | None) -> Finding:
    """The finding of what the file or the SDK raised, with the mend where we know one."""
    found = raised(error, order.file)
    help = None
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "sagemaker":
        help = "the file is written for another version of the SDK than the one that is installed beside mlops"
    message = found.message if doing is None else f"{doing}: {found.message.removeprefix('running the file failed: ')}"
    return Finding(found.code, found.name, found.severity, message, help=help, where=found.where)


def _finding(message: str, file: Path, line: int, help: str | None = None) -> Finding:
    from mlops.declare.mistakes import MISTAKES
    from mlops.ir import Severity, Where

    return Finding("D102", MISTAKES["D102"].name, Severity.ERROR, message, help=help, where=Where(str(file), line))


def text(name: object) -> str:
    """A pipeline's name may be a parameter of the SDK with a default."""
    return name if isinstance(name, str) else str(getattr(name, "default_value", name))
