"""A plan of what a file declares, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlops.deploy.pipelines.definition_diff import MemberChange, members, readable
from mlops.ir.hiding import hide

if TYPE_CHECKING:
    from mlops.deploy.declared.plan import Change, Plan

_MARKS = {"create": "+", "update": "~", "nothing": " "}
_VERBS = {"create": "create", "update": "update", "nothing": "no changes"}
_LONGEST = 160


def text(plan: Plan) -> str:
    """What one file declares, ends with a newline."""
    return "\n".join(_lines(plan)) + "\n"


def summary(plans: Sequence[Plan]) -> str:
    """Of resources, not of the files that declare them."""
    counts = {verb: sum(item.action == verb for plan in plans for item in plan.changes) for verb in _VERBS}
    for plan in plans:
        # What was cut off is gone on with where every single thing is there already.
        if plan.actions and all(item.action == "nothing" for item in plan.changes):
            counts["update"] += 1
            counts["nothing"] -= bool(plan.changes)
    told = [f"{counts[verb]} to {verb}" for verb in ("create", "update") if counts[verb]] or ["nothing to do"]
    unchanged = [f"{counts['nothing']} unchanged"] if counts["nothing"] else []
    drifted = [f"{sum(bool(plan.drift) for plan in plans)} drifted"] if any(plan.drift for plan in plans) else []
    return f"resources: {', '.join([*told, *unchanged, *drifted])}"


def as_dictionary(plan: Plan) -> dict[str, Any]:
    """For programs; secrets are hidden as everywhere."""
    return {
        "resources": plan.name,
        "environment": plan.environment,
        "account": plan.account,
        "region": plan.region,
        "action": plan.verb,
        "changes": [
            {
                "kind": item.type,
                "name": item.declared,
                "as": item.name,
                "action": item.action,
                "old": hide(item.old),
                "new": hide(item.new),
                "steps": list(item.steps),
            }
            for item in plan.changes
        ],
        "assets": {"upload": [{"uri": item.uri, "bytes": item.size} for item in plan.uploads]},
        "drift": list(plan.drift),
        "actions": [action.label for action in plan.actions],
        "notes": list(plan.notes),
        "obstacles": list(plan.obstacles),
    }


def markdown(plans: Sequence[Plan]) -> str:
    """A comment for a pull request: a table, and what differs folded away below it."""
    lines = ["### Resources", "", summary(plans), "", "| file | environment | plan | drift |", "|---|---|---|---|"]
    for plan in plans:
        drift = "**yes**" if plan.drift else "no"
        lines.append(f"| {_cell(plan.name)} | {plan.environment} | {_VERBS[plan.verb]} | {drift} |")
    for plan in plans:
        if plan.verb == "nothing" and not plan.drift and not plan.refused:
            continue
        told = [line.replace("```", "'''") for line in _lines(plan)]
        lines += ["", f"<details><summary>{_cell(plan.name)}</summary>", "", "```", *told, "```", "", "</details>"]
    return "\n".join(lines) + "\n"


def _cell(told: str) -> str:
    return told.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.name} in {plan.environment} ({plan.account}, {plan.region}): {_VERBS[plan.verb]}"
    for item in plan.changes:
        if item.action != "nothing":
            yield from _change(item)
    for upload in plan.uploads:
        size = "" if upload.size is None else f" ({upload.size:,} bytes)"
        yield f"  upload {readable(upload.uri)}{size}"
    for drift in plan.drift:
        yield f"  drift: {drift}"
    for obstacle in plan.obstacles:
        yield f"  {'refused' if plan.refused else 'note'}: {obstacle}"
    for note in plan.notes:
        yield f"  note: {note}"


def _change(item: Change) -> Iterator[str]:
    named = "" if item.name == item.declared else f" as {item.name}"
    yield f"  {_MARKS[item.action]} {item.type} {item.declared}{named}"
    if item.type != "endpoint" and item.action != "nothing" and item.old is not None and item.new is not None:
        for change in members(item.old, item.new):
            yield f"      {_mark(change)} {change.at}: {_sides(change)}"
    yield from (f"      {step}" for step in item.steps)


def _mark(change: MemberChange) -> str:
    return "+" if not change.has_old else "-" if not change.has_new else "~"


def _sides(change: MemberChange) -> str:
    sides = [_shown(side) for side, has in ((change.old, change.has_old), (change.new, change.has_new)) if has]
    return " -> ".join(sides)


def _shown(value: Any) -> str:
    told = readable(value)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}… ({len(told)} characters)"
