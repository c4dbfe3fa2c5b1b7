"""What of the user's own is called at the moments of a promotion: a file for each kind, found by its ``HOOK``, and
those of plug-ins (entry points of ``mlops.hooks``). They are declared in ``[env.NAME.promote.hooks]``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mlops.ir.discovery import discovered
from mlops.ir.hook import MOMENTS, TOO_LATE, Hook, HookKind, Moment
from mlops.ir.plugins import HOOKS


def kinds() -> Mapping[str, HookKind]:
    """By name. A plug-in that cannot be loaded is left out; ``mlops doctor`` tells of it."""
    found: dict[str, HookKind] = {}
    for name, item in discovered(sys.modules[__name__], HOOKS).items():
        value = item.load().HOOK if item.module is not None else item.plugin and item.plugin.value
        if isinstance(value, HookKind):
            found[name] = value
    return found


def read(moment: str, raw: Any) -> tuple[Hook, ...]:
    """One table or a list of them; the key by which a table says what to call names its kind. Raises ValueError."""
    at = next((item for item in MOMENTS if item == moment), None)
    if at is None:
        raise ValueError(f"there is no moment {moment!r}; there are: {', '.join(MOMENTS)}")
    tables = raw if isinstance(raw, list) else [raw]
    return tuple(_hook(at, table) for table in tables)


def _hook(moment: Moment, table: Any) -> Hook:
    known = kinds()
    if not isinstance(table, Mapping):
        raise ValueError("give a table, or a list of tables")
    named = [name for name in known if name in table]
    if len(named) != 1:
        raise ValueError(f"a hook has exactly one of {', '.join(known)}")
    failing = table.get("failing", "go-on" if moment in TOO_LATE else "abort")
    if failing not in ("abort", "go-on"):
        raise ValueError(f'failing = {failing!r}: give "abort" or "go-on"')
    if failing == "abort" and moment in TOO_LATE:
        raise ValueError(f'failing = "abort": {moment} nothing can be aborted any more')
    kind = known[named[0]]
    settings = kind.read({key: value for key, value in table.items() if key != "failing"})
    return Hook(moment, kind, settings, failing)


def seconds(value: Any, most: float) -> float:
    """A time-out. Raises ValueError."""
    from mlops.ir.duration import seconds_of

    found = seconds_of(value)
    if not 0 < found <= most:
        raise ValueError(f"timeout = {value!r}: more than 0 and at most {most:g} seconds")
    return found


def need_known(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raises ValueError for a key that is none."""
    for key in table:
        if key not in known:
            raise ValueError(f"{key!r} is not a key of it; known: {', '.join((*known, 'failing'))}")
