"""What an OpenSearch lacks before documents go there: looked at, decided, done. Done twice it finds nothing to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from mlops.ir import AccountError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.index import Index
from mlops.observe.search import template
from mlops.observe.search.asking import Answered, Ask, understood

ROLLOVER_DAYS, KEEP_DAYS = 30, 365
_NOT_FOUND = 404
_NO_HANDLER = "no handler found"


@dataclass(frozen=True, slots=True)
class Seen:
    """Of an ``index``. ``managed``: Index State Management is there. ``indices`` stand behind the alias, by name with
    their mappings; ``written`` is the one that is written. ``version`` is that of the policy: its sequence number and
    term; ``managed_by`` names the policy that the written index goes by, and the number of that: an index keeps the
    policy that it was given, whatever becomes of it."""

    index: Index
    managed: bool
    template: Mapping[str, Any] | None
    policy: Mapping[str, Any] | None
    version: tuple[int, int] | None
    indices: Mapping[str, Mapping[str, Any]]
    written: str | None
    taken: bool
    managed_by: tuple[str, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One request; ``label`` is the line of a plan."""

    label: str
    method: Literal["PUT", "POST"]
    path: str
    body: Mapping[str, Any]


def see(ask: Ask, index: Index) -> Seen:
    """
    Raises:
        AccountError: it does not answer, or does not let us look.
    """
    with understood(f"looking at {index.name}"):
        return _seen(ask, index)


def _seen(ask: Ask, index: Index) -> Seen:
    found = _found(ask, f"/_index_template/{index.name}")
    listed = found["index_templates"] if found is not None else ()
    managed, policy, version = _policy(ask, index.name)
    behind = _found(ask, f"/_alias/{index.name}") or {}
    indices = {
        name: (_found(ask, f"/{name}/_mapping") or {}).get(name, {}).get("mappings", {}) for name in sorted(behind)
    }
    marks = {name: behind[name]["aliases"][index.name].get("is_write_index") for name in indices}
    # One that stands there alone is written, where nobody has said that it is not.
    written = next((name for name, mark in marks.items() if mark or (len(marks) == 1 and mark is None)), None)
    # Whoever put a document before anything was set up has made an index under the alias's name.
    taken = not behind and _found(ask, f"/{index.name}/_mapping") is not None
    known = listed[0]["index_template"] if listed else None
    by = _managed_by(ask, written) if managed and written is not None else None
    return Seen(index, managed, known, policy, version, indices, written, taken, by)


def _policy(ask: Ask, name: str) -> tuple[bool, Mapping[str, Any] | None, tuple[int, int] | None]:
    try:
        found = ask("GET", f"/_plugins/_ism/policies/{name}", None)
    except Answered as refused:
        if _NO_HANDLER in refused.message:
            return False, None, None
        if refused.status == _NOT_FOUND:
            return True, None, None
        raise
    return True, found["policy"], (int(found["_seq_no"]), int(found["_primary_term"]))


def _managed_by(ask: Ask, name: str) -> tuple[str, int | None] | None:
    told = ask("GET", f"/_plugins/_ism/explain/{name}", None).get(name) or {}
    policy = told.get("index.plugins.index_state_management.policy_id")
    return None if policy is None else (str(policy), told.get("policy_seq_no"))


def _found(ask: Ask, path: str) -> Mapping[str, Any] | None:
    try:
        return ask("GET", path, None)
    except Answered as refused:
        if refused.status == _NOT_FOUND:
            return None
        raise


def decide(seen: Seen, *, rollover_days: int, keep_days: int, replicas: int, shards: int = 1) -> tuple[Action, ...]:
    """Raises UsageError where an index has the alias's name, or its fields are of other kinds."""
    index = seen.index
    if seen.taken:
        raise UsageError(
            f"there is an index {index.name}, where the alias of that name is to be",
            hint="copy what is in it into another one and remove it",
        )
    actions: list[Action] = []
    wanted = template.index_template(index, managed=seen.managed, replicas=replicas, shards=shards)
    if not _holds(seen.template, wanted):
        verb = "make" if seen.template is None else "change"
        actions.append(
            Action(f"{verb} the index template {index.name}", "PUT", f"/_index_template/{index.name}", wanted)
        )
    if seen.managed:
        policy = template.policy(index, rollover_days=rollover_days, keep_days=keep_days, shards=shards)
        changed = not _holds(seen.policy, policy["policy"])
        if changed:
            verb, path = ("make", "") if seen.version is None else ("change", "?if_seq_no={}&if_primary_term={}")
            versioned = path.format(*seen.version) if seen.version is not None else path
            label = f"{verb} the policy {index.name}: a new index in {rollover_days} days, kept for {keep_days}"
            actions.append(Action(label, "PUT", f"/_plugins/_ism/policies/{index.name}{versioned}", policy))
        actions += _under_policy(seen, changed=changed)
    for name, there in seen.indices.items():
        new, other = _differing(template.mappings(index), there)
        if other:
            raise UsageError(
                f"fields of the index {name} are of other kinds: {', '.join(other)}",
                hint=f"roll over to a new index: POST {index.name}/_rollover",
            )
        if new:
            label = f"add {len(new)} field{'s' if len(new) > 1 else ''} to the index {name}: {', '.join(new)}"
            actions.append(Action(label, "PUT", f"/{name}/_mapping", template.mappings(index)))
    if seen.indices and seen.written is None:
        newest = max(seen.indices)
        mark = {"add": {"index": newest, "alias": index.name, "is_write_index": True}}
        actions.append(Action(f"write the index {newest}: none was", "POST", "/_aliases", {"actions": [mark]}))
    if not seen.indices:
        aliases = {"aliases": {index.name: {"is_write_index": True}}}
        actions.append(Action(f"make the index {template.first(index)}", "PUT", f"/{template.first(index)}", aliases))
    return tuple(actions)


def _under_policy(seen: Seen, *, changed: bool) -> Iterator[Action]:
    """A policy takes up indices that are made behind it, and those keep it as it was then. Only that which is written
    can roll over; one of somebody else's policy is left to that."""
    name, policy = seen.written, {"policy_id": seen.index.name}
    if name is None:
        return
    if seen.managed_by is None:
        alias = {"plugins.index_state_management.rollover_alias": seen.index.name}
        yield Action(f"let the index {name} roll over by {seen.index.name}", "PUT", f"/{name}/_settings", alias)
        label = f"keep the index {name} by the policy {seen.index.name}"
        yield Action(label, "POST", f"/_plugins/_ism/add/{name}", policy)
        return
    by, number = seen.managed_by
    stale = changed or (number is not None and seen.version is not None and number != seen.version[0])
    if by == seen.index.name and stale:
        label = f"keep the index {name} by the policy {seen.index.name} as it is now"
        yield Action(label, "POST", f"/_plugins/_ism/change_policy/{name}", policy)


def apply(ask: Ask, action: Action) -> None:
    """Raises AccountError."""
    answer = ask(action.method, action.path, action.body)
    if answer.get("acknowledged") is False:
        raise AccountError(f"{action.method} {action.path}: not acknowledged", hint="look again in a moment")
    if answer.get("failures"):  # of Index State Management, which answers 200 then too
        why = "; ".join(str(item.get("reason")) for item in answer.get("failed_indices") or ())
        raise AccountError(f"{action.method} {action.path}: {why}")


def apply_all(ask: Ask, seen: Seen, decided: Callable[[Seen], Sequence[Action]]) -> None:
    """What is refused because somebody else has done it meanwhile is done. Raises AccountError."""
    for action in decided(seen):
        try:
            apply(ask, action)
        except Answered:
            if action.label in [other.label for other in decided(see(ask, seen.index))]:
                raise


def _holds(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is told, beside whatever else the server fills in."""
    match wanted:
        case Mapping():
            told = _flat(there) if "index.number_of_shards" in wanted else there
            return isinstance(told, Mapping) and all(_holds(told.get(name), value) for name, value in wanted.items())
        case list() | tuple():
            return isinstance(there, list) and len(there) == len(wanted) and all(map(_holds, there, wanted))
        case bool():
            return there in (wanted, str(wanted).lower())
    return str(there) == str(wanted)


def _flat(settings: Any) -> Mapping[str, Any]:
    """Settings are told in a tree, and are taken by their dotted names; those of plugins stand below ``index`` too."""
    found: dict[str, Any] = {}

    def walk(value: Any, at: str) -> None:
        if isinstance(value, Mapping):
            for name, inside in value.items():
                walk(inside, f"{at}.{name}" if at else str(name))
        else:
            found[at] = value
            found[at.removeprefix("index.") if at.startswith("index.plugins.") else at] = value

    walk(settings, "")
    return found


def _differing(wanted: Mapping[str, Any], there: Mapping[str, Any], at: str = "") -> tuple[list[str], list[str]]:
    """Fields that are new, and those that are of another kind."""
    new: list[str] = []
    other: list[str] = []
    known = there.get("properties", {})
    for name, field in wanted["properties"].items():
        path = f"{at}{name}"
        if name not in known:
            new.append(path)
        elif "properties" in field:
            more = _differing(field, known[name], f"{path}.")
            new += more[0]
            other += more[1]
        elif known[name].get("type") != field["type"]:
            other.append(path)
    return new, other
