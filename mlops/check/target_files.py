"""Which files a target means, and what each of them is: a pipeline file, a definition, a template, a state machine."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

from mlops.ir import UsageError
from mlops.project.content_address import IGNORED_FOLDERS
from mlops.project.program_text import NOTEBOOK
from mlops.project.python_files import imported, parsed
from mlops.project.sdk_source import is_sdk_file

TEMPLATES = (".yaml", ".yml")
MACHINES = (".json", ".asl")
_DECLARES = re.compile(r"^\s*(?:from\s+mlops\b|import\s+mlops\b)", re.MULTILINE)


def split(target: str) -> tuple[Path, str | None]:
    """
    >>> split("pipelines/churn.py:churn")[1]
    'churn'
    """
    file, colon, name = target.rpartition(":")
    if colon and file.endswith((".py", NOTEBOOK)):
        return Path(file), name
    return Path(target), None


def files_of(path: Path, definitions: bool) -> list[Path]:
    """Those of a folder that declare pipelines, with ``definitions`` those in JSON too. Raises UsageError where there
    are none, or the one that is named is of no kind that is taken."""
    if path.is_file():
        if path.suffix in TEMPLATES and not definitions:
            raise UsageError(
                f"{path} may be a template, and a pipeline is needed here", hint="`mlops check` takes templates"
            )
        if path.suffix not in (".py", NOTEBOOK, *MACHINES, *TEMPLATES):
            raise UsageError(
                f"{path} is neither a pipeline file (.py, {NOTEBOOK}), a definition (.json) nor a template (.yaml)"
            )
        return [path]
    found = sorted([*pipeline_files(path), *(file for file in _below(path, ".py") if is_sdk_file(file, whole=True))])
    if definitions:
        found = sorted([*found, *(file for file in _below(path, ".json") if is_definition(file))])
    if not found:
        raise UsageError(f"no pipeline is declared in {path}", hint="a pipeline file imports mlops, or sagemaker")
    return found


def pipeline_files(folder: Path) -> list[Path]:
    """Files of a folder that declare pipelines, sorted."""
    return [file for file in _below(folder, ".py") if declares(file)]


def _below(folder: Path, suffix: str) -> list[Path]:
    """Regular files, sorted; what cannot be listed, environments and built files stay out."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        if (Path(here) / "pyvenv.cfg").is_file():
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS and name != "build"]
        found.extend(Path(here, name) for name in files if name.endswith(suffix))
    return sorted(file for file in found if file.is_file())


def declares(file: Path) -> bool:
    """A folder also holds scripts, tests and tools, which must not run: only a file that imports mlops at its top and
    calls ``Pipeline`` declares one, or ``resources.Model`` and its like what serves. A file that does not parse counts
    where its text says as much."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if not _DECLARES.search(text) or not any(word in text for word in ("Pipeline", _RESOURCES)):
        return False
    tree = parsed(text)
    if tree is None:
        return True
    imports = any(name.outermost == "mlops" and not name.level for node in tree.body for name in imported(node))
    return imports and any(
        _is_of_resources(node)
        or (
            isinstance(node, ast.Call)
            and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) == "Pipeline"
        )
        for node in ast.walk(tree)
    )


_RESOURCES = "resources"


def _is_of_resources(node: ast.AST) -> bool:
    """A call of ``resources.Model`` and its like, or an import of one."""
    match node:
        case ast.ImportFrom(module=str(module), level=0):
            return module.startswith("mlops.") and module.endswith(f".{_RESOURCES}")
        case ast.Call(func=ast.Attribute(value=ast.Name(id="resources") | ast.Attribute(attr="resources"))):
            return True
    return False


def is_definition(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return '"2020-12-01"' in text and '"Steps"' in text


def is_template(file: Path) -> bool:
    """Of CloudFormation. In JSON what has the steps of a pipeline is none; other YAML is taken for one that is cut."""
    if file.suffix in TEMPLATES:
        return True
    if file.suffix != ".json" or not file.is_file() or is_definition(file):
        return False
    from mlops.check.templates.reading import is_template as is_one  # hardly ever is it one

    return is_one(bytes_of(file))


def is_machine(file: Path) -> bool:
    """Of Step Functions; what has the steps of a pipeline is none."""
    if file.suffix not in MACHINES or not file.is_file() or is_definition(file):
        return False
    from mlops.check.machines.reading import is_machine as is_one  # hardly ever is it one

    return file.suffix == ".asl" or is_one(bytes_of(file))


def is_ours(file: Path) -> bool:
    """Whether it is judged where a folder or a list of files is given."""
    if file.suffix in TEMPLATES:
        return is_template(file)
    if file.suffix in MACHINES:
        return is_definition(file) or is_template(file) or is_machine(file)
    return declares(file)


def bytes_of(file: Path) -> bytes:
    """Raises UsageError where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
