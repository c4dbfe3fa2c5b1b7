"""``[check]`` of ``mlops.toml``: which findings a team wants to hear, and how loud.

Read without pydantic and without the environments: a definition in JSON is checked in a blink, also inside a project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError, Severity
from mlops.ir.dataclass import dataclass
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import parsed, place

OFF = "off"
_KEYS = ("select", "ignore", "severity", "per_file_ignores")

Complain = Callable[[tuple[str, ...], str], None]


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Codes are whole (``X840``) or the beginning of a family (``X8``), as written; an empty ``select`` means all.

    ``severity`` maps codes to a severity, None for ``"off"``. ``per_file_ignores`` maps globs, relative to the
    project's root, to codes."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def codes(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Every code with the key that names it."""
        return (
            *((("check", "select"), code) for code in self.select),
            *((("check", "ignore"), code) for code in self.ignore),
            *((("check", "severity", code), code) for code in self.severity),
            *((("check", "per_file_ignores", glob), code) for glob, many in self.per_file_ignores.items()
              for code in many),
        )  # fmt: skip


def parse(raw: Any, complain: Complain) -> CheckSettings:
    """``complain`` hears every mistake with the path of its key; whether codes exist is for the checker to say."""
    if not isinstance(raw, dict):
        complain(("check",), "[check] has to be a table")
        return CheckSettings()
    for key in raw:
        if key not in _KEYS:
            complain(("check", key), f"{key!r} is not a key of [check]; known: {', '.join(_KEYS)}")
    severity: dict[str, Severity | None] = {}
    for code, given in _table(raw, "severity", complain).items():
        if given != OFF and given not in tuple(Severity):
            choices = ", ".join(f'"{item}"' for item in (*Severity, OFF))
            complain(("check", "severity", code), f"check.severity.{code} = {given!r}: choose one of {choices}")
        else:
            severity[code.upper()] = None if given == OFF else Severity(given)
    globs = _table(raw, "per_file_ignores", complain)
    return CheckSettings(
        select=_codes(raw.get("select", []), ("check", "select"), complain),
        ignore=_codes(raw.get("ignore", []), ("check", "ignore"), complain),
        severity=severity,
        per_file_ignores={
            glob: _codes(codes, ("check", "per_file_ignores", glob), complain) for glob, codes in globs.items()
        },
    )


def read_check_settings(root: Path) -> CheckSettings:
    """The table of a project, or what holds without one. Raises ConfigurationError for mistakes in this table only."""
    file = root / CONFIGURATION
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return CheckSettings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
    if "check" not in text:
        return CheckSettings()  # most projects; also one whose TOML is broken, which whoever needs it will say
    raw = parsed(file, text)
    mistakes: list[str] = []
    settings = parse(
        raw.get("check", {}), lambda path, message: mistakes.append(f"{place(file, text, path)}: {message}")
    )
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return settings


def _table(raw: Mapping[str, Any], key: str, complain: Complain) -> Mapping[str, Any]:
    given = raw.get(key, {})
    if isinstance(given, dict):
        return given
    complain(("check", key), f"check.{key} has to be a table; it is {given!r}")
    return {}


def _codes(given: Any, path: tuple[str, ...], complain: Complain) -> tuple[str, ...]:
    if isinstance(given, list) and all(isinstance(code, str) and code.strip() for code in given):
        return tuple(code.strip().upper() for code in given)
    complain(path, f"{'.'.join(path)} has to be a list of codes; it is {given!r}")
    return ()
