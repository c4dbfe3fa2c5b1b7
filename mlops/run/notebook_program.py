"""Runs in a step's sandbox and loads nothing of the package: the notebook of a notebook job, from its first cell to its
last, with parameters put in behind the cell that is tagged ``parameters``.

What cells print is printed; the executed notebook is kept, also where a cell fails. The variables and folders are those
of SageMaker's notebook scheduler.
"""

from __future__ import annotations

import importlib
import json
import keyword
import os
import sys
from pathlib import Path
from typing import Any

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
INJECTED = "injected-parameters"


def main() -> int:
    formats: Any = importlib.import_module("nbformat")
    variables = os.environ
    folder = _below(variables.get("SM_EXECUTION_INPUT_PATH") or "/opt/ml/input/data")
    output = BASE / "output" / "data" / (variables.get("SM_OUTPUT_NOTEBOOK_NAME") or "notebook.ipynb")
    output.parent.mkdir(parents=True, exist_ok=True)
    name = variables.get("SM_INPUT_NOTEBOOK_NAME") or ""
    source = folder / name
    if not source.is_file():
        there = ", ".join(sorted(path.name for path in folder.glob("*"))) or "nothing"
        return _failed(f"there is no notebook {name!r}; beside it would lie: {there}")
    try:
        notebook = formats.read(source, as_version=4)
    except Exception as fault:
        return _failed(f"{name} is no notebook: {fault}")
    _put_in(notebook, _parameters(), formats.v4)
    failure = _executed(notebook, folder, variables.get("SM_KERNEL_NAME") or "python3")
    formats.write(notebook, output)
    print(f"the executed notebook is {output.name}", flush=True)
    return _failed(failure) if failure is not None else 0


def _below(path: str) -> Path:
    """A path of a container where it is here."""
    return BASE / path.removeprefix("/opt/ml/") if path.startswith("/opt/ml/") else Path(path)


def _parameters() -> dict[str, Any]:
    file = BASE / "input" / "config" / "hyperparameters.json"
    given = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name: _value(text) for name, text in given.items()}


def _value(text: str) -> Any:
    """As it is written in a cell; nan and inf are no names there.

    >>> [_value(text) for text in ("7", "churn", "NaN")]
    [7, 'churn', 'NaN']
    """
    try:
        return json.loads(text, parse_constant=_as_text)
    except ValueError:
        return text


def _as_text(constant: str) -> str:
    return constant


def _put_in(notebook: Any, parameters: dict[str, Any], form: Any) -> None:
    if not parameters:
        return
    lines = ["# Parameters", *(f"{name} = {value!r}" for name, value in parameters.items() if _is_name(name))]
    cell = form.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]})
    tags = [item.get("metadata", {}).get("tags", []) for item in notebook.cells]
    at = next((number + 1 for number, found in enumerate(tags) if "parameters" in found), 0)
    if notebook.nbformat_minor < 5:
        del cell["id"]
    notebook.cells.insert(at, cell)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _executed(notebook: Any, folder: Path, kernel: str) -> str | None:
    """Why it failed."""
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    if kernel not in KernelSpecManager().find_kernel_specs():
        print(f"[mlops] there is no kernel {kernel} here: this Python's takes its place", flush=True)
        kernel = "python3"

    def told(cell: Any, cell_index: int, **_: Any) -> None:
        for output in cell.get("outputs") or ():
            text = output.get("text") or "\n".join(output.get("traceback") or ())
            if text:
                print(text, end="" if text.endswith("\n") else "\n", flush=True)

    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name=kernel, timeout=None, resources=where, on_cell_executed=told)
    try:
        client.execute()
    except CellExecutionError as fault:
        return f"{fault.ename}: {fault.evalue}"
    except Exception as fault:
        return f"{type(fault).__name__}: {fault}"
    return None


def _failed(reason: str) -> int:
    (BASE / "output" / "failure").write_text(reason, encoding="utf-8")
    print(f"[mlops] {reason}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
