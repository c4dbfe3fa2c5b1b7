"""A plan for people, for programs, and for the comment of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from mlops.deploy.pipelines.deciding import Plan
from mlops.deploy.pipelines.definition_diff import MemberChange, members, readable
from mlops.deploy.pipelines.differences import ResourceChange, SettingChange
from mlops.ir.counted import counted
from mlops.ir.hiding import hide

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_VERBS = {"create": "create", "update": "update", "nothing": "no changes"}
_LONGEST = 160
_LONGEST_CELL = 400
_COMMENT = 60_000
"""Characters. GitHub takes 65,536 in a comment, and a workflow puts a line of its own before."""


def text(plan: Plan) -> str:
    """One pipeline, ends with a newline."""
    return "\n".join(_lines(plan)) + "\n"


def summary(plans: Sequence[Plan]) -> str:
    """
    >>> summary([])
    'plan: nothing to do'
    """
    counts = {verb: sum(plan.verb == verb for plan in plans) for verb in _VERBS}
    told = [f"{counts[verb]} to {verb}" for verb in ("create", "update") if counts[verb]] or ["nothing to do"]
    unchanged = [f"{counts['nothing']} unchanged"] if counts["nothing"] else []
    uploads = len({upload.uri for plan in plans for upload in plan.uploads})
    extra = [f"{counted(uploads, 'object')} to upload"] if uploads else []
    drifted = sum(plan.drift is not None for plan in plans)
    extra += [f"{drifted} drifted"] if drifted else []
    return f"plan: {', '.join([*told, *unchanged, *extra])}"


def as_dictionary(plan: Plan) -> dict[str, Any]:
    """For programs; secrets are hidden as everywhere."""
    present = plan.present
    return {
        "pipeline": plan.name,
        "environment": plan.environment,
        "account": plan.account,
        "region": plan.region,
        "action": plan.verb,
        "settings": [{"member": item.member, "old": item.old, "new": item.new} for item in plan.settings],
        "steps": plan.steps,
        "changes": [_change(item) for item in plan.changes],
        "companions": [
            {
                "kind": item.type,
                "name": item.name,
                "action": "remove" if item.new is None else "create" if item.old is None else "update",
                "old": hide(item.old),
                "new": item.new and hide(item.new.plain),
            }
            for item in plan.companions
        ],
        "assets": {
            "upload": [{"uri": item.uri, "bytes": item.size} for item in plan.uploads],
            "present": plan.assets_there,
        },
        "cache": [{"step": item.step, "because": list(item.because)} for item in plan.losses],
        "drift": None
        if plan.drift is None
        else {
            "foreign": plan.drift.foreign,
            "by": plan.drift.by,
            "at": plan.drift.at,
            "settings": [{"member": item.member, "old": item.old, "new": item.new} for item in plan.drift.settings],
            "changes": [_change(item) for item in plan.drift.changes],
            "companions": list(plan.drift.companions),
        },
        "unfinished": None
        if plan.unfinished is None
        else {"by": plan.unfinished.by, "at": plan.unfinished.at, "busy": plan.unfinished.busy},
        "taken": plan.taken,
        "modified": present.modified if present else None,
        "actions": [action.label for action in plan.actions],
        "notes": list(plan.notes),
        "obstacles": list(plan.obstacles),
    }


def markdown(plans: Sequence[Plan]) -> str:
    """A comment for a pull request: a table of what differs, each folded away below it, as far as a comment goes."""
    told = [plan for plan in plans if plan.verb != "nothing" or plan.drift is not None or len(plans) == 1]
    lines = ["### Pipelines", "", summary(plans), ""]
    if told:
        lines += ["| pipeline | environment | plan | steps | cache lost | drift |", "|---|---|---|---|---|---|"]
    rows = _fitting([_row(plan) for plan in told], _COMMENT // 3)
    lines += rows
    left = _COMMENT - sum(len(line) + 1 for line in lines)
    shown = 0
    for plan in told[: len(rows)]:
        if plan.verb == "nothing" and plan.drift is None:
            continue
        folded = _folded(plan, left)
        if not folded:
            break
        lines += folded
        left -= sum(len(line) + 1 for line in folded)
        shown += 1
    differ = sum(plan.verb != "nothing" or plan.drift is not None for plan in plans)
    if shown < differ:
        lines += ["", f"{counted(differ - shown, 'more pipeline')}: `mlops plan` tells them."]
    return "\n".join(lines) + "\n"


def _row(plan: Plan) -> str:
    steps = ", ".join(f"{_MARKS[kind]} {name}" for name, kind in plan.steps.items()) or "-"
    lost = ", ".join(item.step for item in plan.losses) or "-"
    drift = "**yes**" if plan.drift else "no"
    cells = (plan.name, plan.environment, _VERBS[plan.verb], steps, lost, drift)
    return f"| {' | '.join(_cell(_cut(cell, _LONGEST_CELL)) for cell in cells)} |"


def _folded(plan: Plan, space: int) -> list[str]:
    """Nothing where there is no space for anything that says something."""
    around = ["", f"<details><summary>{_escaped(plan.name)}</summary>", "", "```diff", "```", "", "</details>"]
    space -= sum(len(line) + 1 for line in around) + 100
    if space < 400:
        return []
    lines = [_as_diff(line.replace("```", "'''")) for line in _lines(plan)]
    kept = _fitting(lines, space)
    cut = [f" … {len(lines) - len(kept)} more lines"] if len(kept) < len(lines) else []
    return [*around[:4], *kept, *cut, *around[4:]]


def _fitting(lines: Sequence[str], space: int) -> list[str]:
    """As many whole lines from the first on as the characters suffice for."""
    ends = accumulate(len(line) + 1 for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= space]


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.name} in {plan.environment} ({plan.account}, {plan.region}): {_VERBS[plan.verb]}"
    for setting in plan.settings:
        yield f"  {_mark(setting)} {setting.member}: {_sides(setting.old, setting.new)}"
    yield from (f"  {line}" for line in _changes(plan.changes, plan.present is None))
    for item in plan.companions:
        verb = "-" if item.new is None else "+" if item.old is None else "~"
        anew = " (it cannot be changed so: it is removed, and made anew)" if item.anew else ""
        yield f"  {verb} {item.type} {item.name}{anew if verb == '~' else _starts(item)}"
        if item.new is not None and item.old is not None:
            for change in members(item.old, item.new.plain):
                yield f"      {_member_mark(change)} {change.at}: {_sides_of(change)}"
    for upload in plan.uploads:
        size = "" if upload.size is None else f" ({upload.size:,} bytes)"
        yield f"  upload {readable(upload.uri)}{size}"
    if plan.assets_there and plan.actions:
        yield f"  {counted(plan.assets_there, 'object')} of code and data there already"
    for loss in plan.losses:
        yield f"  cache: {loss.step} runs again, because of {', '.join(loss.because)}"
    if plan.drift is not None:
        yield from _drift(plan)
    if plan.taken is not None and plan.actions:
        yield f"  the name is taken by {plan.taken}, and this is {plan.origin}; --force takes it over"
    if plan.unfinished is not None:
        state = "may still be under way" if plan.unfinished.busy else "was cut off; this goes on with it"
        yield f"  an upsert by {plan.unfinished.by} at {plan.unfinished.at} {state}"
    for obstacle in plan.obstacles:
        yield f"  {'refused' if plan.refused else 'note'}: {obstacle}"
    for note in plan.notes:
        yield f"  note: {note}"


def _starts(item: ResourceChange) -> str:
    """When what is new starts its pipeline."""
    told = hide(item.new.plain) if item.new else {}
    when = told.get("ScheduleExpression") or told.get("EventPattern")
    return f": {when}" if when else ""


def _drift(plan: Plan) -> Iterator[str]:
    drift = plan.drift
    if drift is None:
        return
    by = f" by {drift.by}" if drift.by else ""
    at = f" at {drift.at}" if drift.at else ""
    if drift.foreign:
        yield f"  drift: mlops did not write this pipeline (last changed{by}{at}); --force takes it over"
        return
    yield f"  drift: changed{by}{at} since the last upsert; --force overwrites it"
    for setting in drift.settings:
        yield f"    {_mark(setting)} {setting.member}: {_sides(setting.old, setting.new)}"
    yield from (f"    {line}" for line in _changes(drift.changes, False))
    for key in drift.companions:
        yield f"    ~ {key}"


def _changes(changes: Sequence[MemberChange], created: bool) -> Iterator[str]:
    """Whole steps on a line of their own, members below their step."""
    step: str | None = None
    for change in changes:
        if change.step is None:
            if not created:
                yield f"{_member_mark(change)} {change.at.lstrip('/')}: {_sides_of(change)}"
            continue
        if not change.at:
            yield f"{_member_mark(change)} {change.step} [{change.new if change.has_new else change.old}]"
        else:
            if change.step != step:
                yield f"~ {change.step}"
            code = " (code)" if change.is_code else ""
            yield f"    {_member_mark(change)} {change.at.removeprefix('/Arguments')}{code}: {_sides_of(change)}"
        step = change.step


def _member_mark(change: MemberChange) -> str:
    return "+" if not change.has_old else "-" if not change.has_new else "~"


def _mark(setting: SettingChange) -> str:
    return "+" if setting.old is None else "-" if setting.new is None else "~"


def _sides_of(change: MemberChange) -> str:
    if not change.has_old:
        return _shown(change.new)
    if not change.has_new:
        return _shown(change.old)
    return f"{_shown(change.old)} -> {_shown(change.new)}"


def _sides(old: Any, new: Any) -> str:
    if old is None:
        return _shown(new)
    return _shown(old) if new is None else f"{_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    return _cut(readable(value), _LONGEST)


def _cut(told: str, longest: int) -> str:
    return told if len(told) <= longest else f"{told[:longest]}… ({len(told)} characters)"


def _change(item: MemberChange) -> dict[str, Any]:
    told = {"step": item.step, "at": item.at, "code": item.is_code}
    return told | ({"old": item.old} if item.has_old else {}) | ({"new": item.new} if item.has_new else {})


def _cell(told: str) -> str:
    return _escaped(told).replace("|", "\\|").replace("\n", " ")


def _escaped(told: str) -> str:
    return told.replace("&", "&amp;").replace("<", "&lt;")


def _as_diff(line: str) -> str:
    """Marks in the first column, where a ``diff`` block colours them; a changed member is a line that it can mark."""
    stripped = line.lstrip()
    if stripped[:2] in ("+ ", "- "):
        return stripped[0] + line.replace(stripped[:2], "", 1)
    return "!" + line.replace("~ ", "", 1) if stripped[:2] == "~ " else f" {line}"
