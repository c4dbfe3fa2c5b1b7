"""A notebook is one program, with its lines where the notebook's own file has them."""

from __future__ import annotations

import ast
import json

import pytest

from mlops.project.notebook_file import program


def notebook(*cells: str, indent: int | None = 1, **metadata: object) -> str:
    """A cell that begins with ``#md`` is text."""
    made = [
        {
            "cell_type": "markdown" if cell.startswith("#md") else "code",
            "metadata": {},
            "source": cell.splitlines(keepends=True),
        }
        for cell in cells
    ]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=indent)


MAGICS = {
    "%matplotlib inline": "__notebook__('line', 'matplotlib', 'inline', '')",
    "!ls data": "__notebook__('shell', '', 'ls data', '')",
    "files = !ls": "files = __notebook__('shell', '', 'ls', '')",
    "x = %env HOME": "x = __notebook__('line', 'env', 'HOME', '')",
    "if x:\n    !ls": "if x:\n    __notebook__('shell', '', 'ls', '')",
    "!pip install a \\\n  b\nx = 1": "__notebook__('shell', '', 'pip install a  b', '')\n\nx = 1",
    "%%writefile a.py\nx = 1\n": "__notebook__('cell', 'writefile', 'a.py', 'x = 1\\n')\n",
    "%%bash\nls\n": "__notebook__('cell', 'bash', '', 'ls\\n')\n",
    "%%time\nx = 1": "\nx = 1",
    "\n%%time\n%cd data\nx = 1": "\n\n__notebook__('line', 'cd', 'data', '')\nx = 1",
    "pipeline?": "pass",
    "x = 7 \\\n% 3": "x = 7 \\\n% 3",
    'text = """\n%matplotlib\n!ls\n"""': 'text = """\n%matplotlib\n!ls\n"""',
    "x = (7\n% 3)\n!ls": "x = (7\n% 3)\n__notebook__('shell', '', 'ls', '')",
    "await f()": "await f()",
}


@pytest.mark.parametrize("cell", MAGICS)
def test_what_is_no_python_becomes_a_call(cell: str) -> None:
    assert program(notebook(cell)).strip("\n") == MAGICS[cell].strip("\n")


@pytest.mark.parametrize("indent", [1, 2, 4])
def test_lines_are_those_of_the_file(indent: int) -> None:
    text = notebook("#md Title\nx = 1", "x = 1\ny = 2\n", "%%time\nz = 3", "x = 1\nlast = 'ü'", indent=indent)
    lines, found = text.splitlines(), program(text).splitlines()
    for statement in ("y = 2", "z = 3", "last = 'ü'"):
        (at,) = (number for number, line in enumerate(found) if line == statement)
        assert json.dumps(statement)[1:-1] in lines[at]
    first, second = (number for number, line in enumerate(found) if line == "x = 1")
    assert "x = 1" in lines[first] and "x = 1" in lines[second]
    # The text cell holds such a line too, and is none of the program.
    assert sum("x = 1" in line for line in lines) == 3


def test_a_notebook_in_one_line_has_its_cells_in_their_order() -> None:
    found = program(notebook("x = 1\ny = 2", "%%writefile a\nb", "z = x + y", indent=None))
    assert [type(node).__name__ for node in ast.parse(found).body] == ["Assign", "Assign", "Expr", "Assign"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "it has no cells"),
        ("[]", "it has no cells"),
        ("{", "Expecting"),
        (notebook("x <- 1", kernelspec={"language": "R"}), "a notebook of r"),
    ],
)
def test_what_is_no_notebook_of_python_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        program(text)
