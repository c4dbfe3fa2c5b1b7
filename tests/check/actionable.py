"""Can a person act on a message? It does not echo internals, is short, and ends with a way on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops.ir import Finding, Severity

INTERNALS = re.compile(
    r"0x[0-9a-f]{4,}|<[^<>]* object\b|<class |<module |<function |[Ii]nput should be|NoneType"
    r"|\bmlops\.(?!toml|lock)\w+\."
    r"|\b(Ref|Join|JsonGet|Unknown|Poison|Finding|Step)\(|\bTraceback\b|pydantic"
)
QUOTES = ("X891", "X892")
"""These find the text of an object of Python in a definition, and show what they found."""
MESSAGE, HELP = 320, 360
SAYS_ITSELF = re.compile(
    r"\bwanted\b|\bwants\b|at most|at least|not within|minimum|maximum|supported|already|by number only|one is given"
    r"|can\b|no multiple of|goes deeper"
)
"""A bound that is crossed, or the form that is wanted, is the way on."""


def faults(finding: Finding) -> list[str]:
    text = f"{finding.message} {finding.help or ''}"
    found = []
    if finding.code not in QUOTES and INTERNALS.search(text):
        found.append("echoes internals")
    if finding.severity is Severity.ERROR and not finding.help and not SAYS_ITSELF.search(finding.message):
        found.append("says no way on")
    if len(finding.message) > MESSAGE or len(finding.help or "") > HELP:
        found.append("is long")
    if not finding.message.strip() or finding.message.endswith("."):
        found.append("is no phrase")
    return found


def judged(said: Iterable[Finding]) -> list[str]:
    return sorted(
        {f"{item.code} {', '.join(wrong)}: {item.message} | {item.help}" for item in said if (wrong := faults(item))}
    )
