"""One wrong argument is one mistake, whatever the step: told once, nothing follows from it, nothing else is hidden.

The calls of the other tests of the language, each argument of each spoilt in turn. What is wrong with a pipeline of
theirs anyway is told of the spoilt one too.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mlops
from mlops.check.sources import open_targets
from mlops.ir import Finding, Severity
from tests.declare import test_check_steps, test_jobs, test_service_steps

SOURCES = {
    "jobs": (test_jobs.BASE, [case[1] for case in test_jobs.CASES]),
    "checks": (test_check_steps.BASE, [case[1] for case in test_check_steps.CASES]),
    "services": (test_service_steps.BASE, [case[1] for case in test_service_steps.CASES]),
}
IN_A_FILE = 40
HEADER = "from mlops import *\nfrom mlops import execution, image\n"


def constructors() -> set[str]:
    return {name for name in mlops.__all__ if isinstance(getattr(mlops, name), type)}


def spoilt(snippet: str) -> Iterator[tuple[str, str, str]]:
    """(what was done, the constructor's argument, the snippet) for each keyword of each constructor in it."""
    count = sum(isinstance(node, ast.Call) for node in ast.walk(ast.parse(snippet)))
    for index in range(count):
        call = _call(ast.parse(snippet), index)
        if not isinstance(call.func, ast.Name) or call.func.id not in constructors():
            continue
        for place, keyword in enumerate(call.keywords):
            if keyword.arg in (None, "arguments", "members"):
                continue
            for done in ("of no type", "of no name"):
                tree = ast.parse(snippet)
                spoiling = _call(tree, index).keywords[place]
                if done == "of no type":
                    spoiling.value = ast.parse("object()", mode="eval").body
                else:
                    spoiling.arg = "zzzz"
                yield done, f"{call.func.id}({keyword.arg}=)", ast.unparse(tree)


def _call(tree: ast.AST, index: int) -> ast.Call:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)][index]


def told(folder: Path, base: str, snippets: list[str]) -> list[list[Finding]]:
    """The errors of each as a pipeline of its own; some in one file, since all are shown what is wrong with a file."""
    return [
        found
        for first in range(0, len(snippets), IN_A_FILE)
        for found in told_of_some(folder, base, snippets[first : first + IN_A_FILE])
    ]


def told_of_some(folder: Path, base: str, snippets: list[str]) -> list[list[Finding]]:
    for script in ("prepare.py", "train.py", "check.py", "notebook.ipynb"):
        (folder / script).write_text("{}")
    (folder / "mlops.toml").touch()
    blocks = []
    for number, snippet in enumerate(snippets):
        lines = f"{base.strip()}\n{snippet}".splitlines()
        blocks.append(f'with Pipeline("p{number}") as p:\n' + "".join(f"    {line}\n" for line in lines))
    (folder / "pipeline.py").write_text(HEADER + "".join(blocks))
    begins = [3]
    for block in blocks:
        begins.append(begins[-1] + block.count("\n"))
    found: list[list[Finding]] = [[] for _ in snippets]
    for finding in open_targets([str(folder / "pipeline.py")], "local").findings:
        if finding.severity is Severity.ERROR:
            line = finding.where.line or 0
            found[next(number for number in range(len(snippets)) if line < begins[number + 1])].append(finding)
    return found


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.proof("recall"))], ids=["each once", "in every call"]
)
@pytest.mark.parametrize("source", SOURCES)
def test_a_spoilt_argument_is_one_mistake(
    source: str, whole: bool, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    base, snippets = SOURCES[source]
    cases = [(snippet, *case) for snippet in dict.fromkeys(snippets) for case in spoilt(snippet)]
    if not whole:
        cases = [*{case[1:3]: case for case in reversed(cases)}.values()]
    snippets = [*dict.fromkeys(case[0] for case in cases)]
    anyway = dict(zip(snippets, told(tmp_path, base, snippets), strict=True))
    after = told(tmp_path, base, [case[3] for case in cases])
    wrong = []
    for (snippet, done, argument, text), findings in zip(cases, after, strict=True):
        usual = Counter(finding.code for finding in anyway[snippet])
        fresh = Counter(finding.code for finding in findings) - usual
        if sum(fresh.values()) != 1 or not next(iter(fresh)).startswith("D04"):
            wrong.append((done, argument, text, [f"{item.code} {item.message}" for item in findings]))
    record_property("cases", len(cases))
    assert not wrong, "\n".join(map(str, wrong[:12]))
