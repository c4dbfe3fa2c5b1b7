"""Which findings are told, and how loud: the project's ``[check]`` table, then the options of the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from mlops.check.codes import is_firm, named, unknown_code
from mlops.ir import ConfigurationError, Finding, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.check_settings import CheckSettings, read_check_settings
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import place


@dataclass(frozen=True, slots=True)
class Selection:
    """``settings`` hold for files below ``root``; ``select`` and ``ignore`` are the command's and win."""

    root: Path
    settings: CheckSettings
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def chosen(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """What is left, with the project's severities. Firm codes stay as they are."""
        return tuple(kept for finding in findings if (kept := self._kept(finding)) is not None)

    def hears(self, code: str) -> bool:
        """Whether findings of this code can be told at all, whatever their file."""
        return is_firm(code) or (self.settings.severity.get(code, "") is not None and self._selected(code))

    def _kept(self, finding: Finding) -> Finding | None:
        code = finding.code
        if is_firm(code):
            return finding
        if not self._selected(code) or named(code, self._ignored_in(finding.where.file)) is not None:
            return None
        key = named(code, self.settings.severity)
        if key is None:
            return finding
        severity = self.settings.severity[key]
        return None if severity is None else replace(finding, severity=severity)

    def _selected(self, code: str) -> bool:
        """Of a select and an ignore that both fit, the more exact one counts; alike, ignore does."""
        for select, ignore in ((self.select, self.ignore), (self.settings.select, self.settings.ignore)):
            wanted, unwanted = named(code, select), named(code, ignore)
            if wanted is not None or unwanted is not None:
                return len(wanted or "") > len(unwanted or "")
            if select:
                return False
        return True

    def _ignored_in(self, file: str | None) -> Iterable[str]:
        if not self.settings.per_file_ignores or file is None:
            return
        path = Path(file)
        relative = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()
        for glob, codes in self.settings.per_file_ignores.items():
            if fnmatchcase(relative, glob):
                yield from codes


def read_selection(root: Path) -> Selection:
    """The project's own. Raises ConfigurationError where ``[check]`` names what does not exist, with its line."""
    settings = read_check_settings(root)
    mistakes = [(path, said) for path, code in settings.codes() if (said := unknown_code(code)) is not None]
    mistakes += [
        (("check", "severity", code), f"{code} cannot be changed: what follows would build on it")
        for code in settings.severity
        if is_firm(code)
    ]
    if mistakes:
        file = root / CONFIGURATION
        text = file.read_text(encoding="utf-8-sig")
        raise ConfigurationError("\n".join(f"{place(file, text, path)}: {said}" for path, said in mistakes))
    return Selection(root, settings)


def listed_codes(option: str, given: Sequence[str]) -> tuple[str, ...]:
    """``("X8,G104", "S")`` to codes. Raises UsageError for one that fits nothing."""
    codes = tuple(code.strip().upper() for many in given for code in many.split(",") if code.strip())
    for code in codes:
        said = unknown_code(code)
        if said is not None:
            raise UsageError(f"{option}: {said}")
    return codes
