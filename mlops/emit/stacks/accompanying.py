"""What comes beside a declared resource in a template: a bucket's policy, a key's alias, what scales an endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mlops.emit.stacks.logical_ids import short_hash
from mlops.ir.resource import BESIDE, ITSELF, ITSELF_NAMED


def accompanied(
    named: str,
    called: Mapping[str, Any],
    further: Mapping[str, tuple[str, Mapping[str, Any]]],
    taken: Collection[str],
) -> Iterator[tuple[str, str, Any]]:
    """The logical id, the type and the properties of each. ``named`` is the resource's own logical id, ``called`` what
    gives its name in the account; of the ids that are ``taken`` none is given again."""
    ids = {suffix: _free(named, suffix, taken) for suffix in further}
    for suffix, (type_, properties) in further.items():
        yield ids[suffix], type_, _of(named, called, ids, properties)


def _free(named: str, suffix: str, taken: Collection[str]) -> str:
    plain = f"{named}{suffix}"
    return f"{plain}{short_hash(named, suffix)}" if plain in taken else plain


def _of(named: str, called: Mapping[str, Any], ids: Mapping[str, str], value: Any) -> Any:
    """With the resource itself in the place of :data:`~mlops.ir.resource.ITSELF` and of its likes."""
    match value:
        case Mapping() if value == ITSELF:
            return {"Ref": named}
        case Mapping() if value == ITSELF_NAMED:
            return dict(called)
        case {"Ref": str(other)} if other.startswith(BESIDE):
            return {"Ref": ids[other.removeprefix(BESIDE)]}
        case Mapping():
            return {member: _of(named, called, ids, inner) for member, inner in value.items()}
        case list():
            return [_of(named, called, ids, inner) for inner in value]
    return value
