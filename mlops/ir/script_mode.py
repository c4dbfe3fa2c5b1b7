"""How sagemaker-training-toolkit starts the script of a framework image: running does it, checking sees what cannot
work."""

from __future__ import annotations

import re
from collections.abc import Container

_PROGRAM = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


def is_program(name: str) -> bool:
    """Whether the toolkit takes it for the name of a program.

    >>> is_program("src/train.py"), is_program("../train.py"), is_program("my train.py")
    (True, False, False)
    """
    return _PROGRAM.fullmatch(name) is not None and not {".", ".."} & {*name.split("/")}


def starts_as_module(program: str, *, packaged: bool) -> bool:
    """Beside a ``setup.py`` (``packaged``) a Python program is started as a module."""
    return packaged and not program.endswith(".sh")


def module_of(program: str) -> str:
    """What ``python -m`` gets: the toolkit takes the suffix away, and slashes stay."""
    return program.removesuffix(".py")


def unimportable(program: str, files: Container[str]) -> str | None:
    """The module that ``python -m`` will not find among ``files``, where it won't.

    >>> unimportable("src/train.py", {"setup.py", "src/train.py"})
    'src/train'
    >>> unimportable("train.v2.py", {"setup.py", "train.v2.py"})
    'train.v2'
    >>> unimportable("train.py", {"setup.py", "train.py"}) is None
    True
    >>> unimportable("src/train.py", {"src/train.py"}) is None
    True
    """
    if not starts_as_module(program, packaged="setup.py" in files):
        return None
    module = module_of(program)
    if "/" in module:
        return module
    path = module.replace(".", "/")
    if "." in module and f"{path}.py" not in files and f"{path}/__main__.py" not in files:
        return module
    return None
