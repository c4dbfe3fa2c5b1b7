"""Where ``mlops.toml`` says that values of secrets are on this machine: brought for a run into its variables, and
written nowhere."""

from __future__ import annotations

import os

from mlops.ir import Definition, UsageError
from mlops.ir.secret import secrets_of, variable_of
from mlops.use_cases.connecting import Connected

_FILE = "file:"


def brought(connected: Connected, definition: Definition) -> None:
    """Those that the definition refers to. What is set for this one command stays. Raises UsageError for a place that
    is declared and has nothing."""
    declared = connected.environment.secrets
    for id in sorted({reference.id for reference in secrets_of(definition)}) if declared else ():
        name = next((known for known in (id, _name_of(id)) if known in declared), None)
        variable = variable_of(id)
        if name is None or variable in os.environ:
            continue
        place = declared[name]
        value = _from_file(connected, name, place) if place.startswith(_FILE) else os.environ.get(place[1:])
        if value is None:
            raise UsageError(
                f"secrets of the local environment: {name} is in {place}, and no such variable is set",
                hint=f"set it, or {variable} for this command alone",
            )
        if "\0" in value:
            raise UsageError(f"secrets of the local environment: {name} is in {place}, which is no text")
        os.environ[variable] = value


def _name_of(id: str) -> str:
    """Of an ARN, without the letters that the service adds.

    >>> _name_of("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-Ab12Cd")
    'prod/db'
    """
    _, is_arn, name = id.rpartition(":secret:")
    return name[:-7] if is_arn and name[-7:-6] == "-" else name


def _from_file(connected: Connected, name: str, place: str) -> str:
    path = connected.root / place.removeprefix(_FILE)
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"secrets of the local environment: {name} is in {path}, which cannot be read: {why}"
        ) from None
