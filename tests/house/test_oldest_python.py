"""What is used of Python is in 3.11.2 too, which Debian has: the guards for archives came with 3.11.4 (PEP 706)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "mlops"
LATER = frozenset(
    (
        *("FilterError", "AbsolutePathError", "OutsideDestinationError", "SpecialFileError", "AbsoluteLinkError"),
        *("LinkOutsideDestinationError", "fully_trusted_filter", "tar_filter", "data_filter", "extraction_filter"),
    )
)


def later_names(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr in LATER:
            found.append(node.attr)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("extract", "extractall")
        ):
            found += [f"{node.func.attr}(filter=)" for keyword in node.keywords if keyword.arg == "filter"]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tar.extractall(folder)", []),
        ("tar.extractall(folder, filter='data')", ["extractall(filter=)"]),
        ("raise tarfile.SpecialFileError(member)", ["SpecialFileError"]),
        ("raise tarfile.ExtractError('no')", []),
    ],
)
def test_a_later_name_is_seen(text: str, found: list[str]) -> None:
    assert later_names(text) == found


@pytest.mark.proof("deep")
def test_no_module_and_no_template_needs_a_later_python() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert {str(path): names for path, text in texts.items() if (names := later_names(text))} == {}
