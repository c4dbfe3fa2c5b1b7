"""Write the names that ``import mlops`` gives into ``mlops/__init__.py``, and those of ``mlops.resources`` beside them:
``make names``.

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

WHOLE = ("as_written", "environment", "execution", "image", "resources", "rules")
"""Modules that pipeline files get as they are: ``image.sklearn("1.2-1")``."""
BY_HAND = ("by_environment",)
"""A function whose module has its name is imported at once."""


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


def resource_names(package: Path = PACKAGE) -> dict[str, str]:
    """The module of each name of ``mlops.resources``."""
    files = sorted((package / "declare" / "resources").glob("[!_]*.py"))
    found = {name: f"mlops.declare.resources.{file.stem}" for file in files for name in _stated(file)}
    return dict(sorted(found.items()))


def written(text: str, found: dict[str, str], *, homes: bool = True) -> str:
    """The text of the package with these names in it, and with the module of each."""
    imports = "".join(f"    {line}\n" for line in _imports(found))
    text = _between(text, IMPORTS_BEGIN, IMPORTS_END, imports)
    listed = "".join(f"    {name!r},\n" for name in found)
    told = f"__all__ = [\n{listed}]\n"
    if homes:
        told += "\n_HOMES = {\n" + "".join(f"    {name!r}: {module!r},\n" for name, module in found.items()) + "}\n"
    return _tidy(_between(text, BEGIN, END, told))


def files(package: Path = PACKAGE) -> dict[Path, str]:
    """What they should hold."""
    whole, resources, again = (
        package / name for name in ("__init__.py", "declare/resources/__init__.py", "resources.py")
    )
    named = resource_names(package)
    return {
        whole: written(whole.read_text(encoding="utf-8"), names(package)),
        resources: written(resources.read_text(encoding="utf-8"), named),
        again: written(again.read_text(encoding="utf-8"), named, homes=False),
    }


def _stated(file: Path) -> list[str]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _imports(found: dict[str, str]) -> Iterator[str]:
    if set(WHOLE) <= set(found):
        yield f"from mlops.declare import {', '.join(WHOLE)}"
    for module in sorted(set(found.values())):
        own = [name for name, home in found.items() if home == module and name not in (*WHOLE, *BY_HAND)]
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
    for file, text in files().items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
