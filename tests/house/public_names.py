"""Write the names that ``import mlops`` gives into ``mlops/__init__.py``: ``make names``.

A module of ``mlops.declare`` states in its ``__all__`` what pipeline files may import. Type checkers must find them
written down, and a program must not load all modules to know one: so they stand in the package, between two marks.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "mlops"
BEGIN, END = "# Names: written by `make names`.\n", "# End of names.\n"
IMPORTS_BEGIN, IMPORTS_END = "    # Imports: written by `make names`.\n", "    # End of imports.\n"

WHOLE = ("as_written", "environment", "execution", "image", "resources")
"""Modules that pipeline files get as they are: ``image.sklearn("1.2-1")``."""


def names(package: Path = PACKAGE) -> dict[str, str]:
    """The module of each name."""
    found = {name: f"mlops.declare.{name}" for name in WHOLE}
    for file in sorted((package / "declare").rglob("*.py")):
        module = ".".join(("mlops", *file.relative_to(package).with_suffix("").parts))
        if any(part in WHOLE for part in module.split(".")):
            continue
        for name in _stated(file):
            if name in found:
                raise SystemExit(f"{name} is stated by {found[name]} and by {module}")
            found[name] = module
    return dict(sorted(found.items()))


def written(text: str, found: dict[str, str]) -> str:
    """The text of the package with these names in it."""
    homes = "".join(f"    {name!r}: {module!r},\n" for name, module in found.items())
    imports = "".join(f"    {line}\n" for line in _imports(found))
    text = _between(text, IMPORTS_BEGIN, IMPORTS_END, imports)
    listed = "".join(f"    {name!r},\n" for name in found)
    return _tidy(_between(text, BEGIN, END, f"__all__ = [\n{listed}]\n\n_HOMES = {{\n{homes}}}\n"))


def _stated(file: Path) -> list[str]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _imports(found: dict[str, str]) -> Iterator[str]:
    yield f"from mlops.declare import {', '.join(WHOLE)}"
    for module in sorted(set(found.values())):
        own = [name for name, home in found.items() if home == module and name not in WHOLE]
        if own:
            yield f"from {module} import {', '.join(own)}"


def _between(text: str, begin: str, end: str, inside: str) -> str:
    before, _, rest = text.partition(begin)
    return f"{before}{begin}{inside}{end}{rest.partition(end)[2]}"


def _tidy(text: str) -> str:
    """In the house's order and form."""
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    file = ["--stdin-filename", str(PACKAGE / "__init__.py"), "-"]
    for words in (["check", "--quiet", "--fix-only"], ["format", "--quiet"]):
        text = subprocess.run([*ruff, *words, *file], input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> None:
    file = PACKAGE / "__init__.py"
    file.write_text(written(file.read_text(encoding="utf-8"), names()), encoding="utf-8")


if __name__ == "__main__":
    main()
