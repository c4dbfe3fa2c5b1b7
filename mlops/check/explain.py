"""The story of a rule: what it finds, why that is bad, bad and good examples, and where the fact comes from."""

from __future__ import annotations

from mlops.check.nearest import nearest
from mlops.check.rule import Rule, all_rules
from mlops.ir import UsageError


def find_rule(code: str) -> Rule:
    """By code or name, in any case; raises :class:`UsageError`."""
    wanted = code.strip().lower()
    known = {rule.code.lower(): rule for rule in all_rules()} | {rule.name: rule for rule in all_rules()}
    if wanted in known:
        return known[wanted]
    guess = nearest(wanted, known)
    hint = f"did you mean {known[guess].code} ({known[guess].name})?" if guess else "`mlops rules` lists them all"
    raise UsageError(f"there is no rule {code!r}", hint=hint)


def explain(code: str) -> str:
    rule = find_rule(code)
    return f"{rule.code} {rule.name} ({rule.severity.value})\n\n{rule.text}\n\nSource: {rule.source}\n"
