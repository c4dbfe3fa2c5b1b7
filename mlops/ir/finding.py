"""One thing that is wrong with a pipeline, told once."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from mlops.ir.dataclass import dataclass
from mlops.ir.where import NOWHERE, Where


class Severity(StrEnum):
    """An error stops ``compile``; a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Edit:
    """A mend that is certain: where the finding stands, the name or text ``old`` becomes ``new``. Whether that is a
    member's name, a string or a part of an expression, the file itself shows."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Finding:
    """``path`` is a JSON pointer into the definition; ``step`` names the step it is about, if any. ``edit`` is for
    machines and says nothing that ``help`` does not say. Who quotes a value in ``message`` need not fear that it is a
    secret: those are hidden."""

    code: str
    name: str
    severity: Severity
    message: str
    help: str | None = None
    step: str | None = None
    path: str | None = None
    where: Where = NOWHERE
    edit: Edit | None = None

    def __post_init__(self) -> None:
        from mlops.ir.hiding import hide_text  # takes its time to load, and most pipelines have no finding

        object.__setattr__(self, "message", hide_text(self.message))
        if self.help is not None:
            object.__setattr__(self, "help", hide_text(self.help))

    def at(self, where: Where) -> Finding:
        return replace(self, where=where)

    @property
    def members(self) -> dict[str, str | None]:
        """What it says, as JSON has it; its place and its mend are written as each reader wants them."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "help": self.help,
            "step": self.step,
            "path": self.path,
        }

    @property
    def sort_key(self) -> tuple[str, int, int, str, str, str]:
        return (
            self.where.file or "",
            self.where.line or 0,
            self.where.column or 0,
            self.path or "",
            self.code,
            self.message,
        )
