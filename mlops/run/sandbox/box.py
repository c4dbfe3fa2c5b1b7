"""The folders of one command, and what it calls them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mlops.ir.secret import Secret
from mlops.run.ports import Interpreter
from mlops.run.sandbox.modes import ModeName

OPT_ML = "/opt/ml"
PRIVATE_TMP = "/tmp"  # noqa: S108 - inside the sandbox
_OPT_ML_IN_TEXT = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")


@dataclass(frozen=True, slots=True)
class Isolation:
    """How steps are kept apart on this machine, and why so."""

    mode: ModeName
    reason: str

    @property
    def is_private(self) -> bool:
        """Each command has an ``/opt/ml`` and a ``/tmp`` of its own by these names, and a network where it is to."""
        return self.mode != "folders"


@dataclass(frozen=True, slots=True)
class Box:
    """Two folders of one command: ``ml`` becomes ``/opt/ml``, ``scratch`` holds its ``/tmp``.
    Without ``network`` it has no more than its own loopback, where commands are really kept apart. ``secret`` is asked
    for what its variables refer to. ``python`` is first on the command's PATH, without one that which runs mlops."""

    ml: Path
    scratch: Path
    isolation: Isolation
    network: bool = True
    secret: Secret | None = None
    python: Interpreter | None = None

    def path(self, inside: str) -> str:
        """What the command calls ``inside``, a path under ``/opt/ml`` or ``/tmp``."""
        if self.isolation.is_private:
            return inside
        if inside == PRIVATE_TMP or inside.startswith(f"{PRIVATE_TMP}/"):
            return f"{self.scratch / 'tmp'}{inside[len(PRIVATE_TMP) :]}"
        return self.rewritten(inside)

    def rewritten(self, text: str) -> str:
        """``text`` with every ``/opt/ml`` in it replaced, where the mode asks for that."""
        if self.isolation.is_private:
            return text
        return _OPT_ML_IN_TEXT.sub(lambda _: str(self.ml), text)
