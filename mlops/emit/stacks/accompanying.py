"""What comes beside a declared resource in a template: a bucket's policy, a key's alias, what scales an endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mlops.emit.stacks.logical_ids import short_hash
from mlops.ir.resource import BESIDE, ITSELF, ITSELF_NAMED

Further = Mapping[str, tuple[str, Mapping[str, Any]]]


def ids_beside(named: str, further: Further, taken: Collection[str]) -> Mapping[str, str]:
    """Logical ids by what is added to ``named``, the resource's own; none of those that are ``taken``."""
    return {suffix: _free(named, suffix, taken) for suffix in further}


def accompanied(
    named: str, called: Mapping[str, Any], further: Further, ids: Mapping[str, str]
) -> Iterator[tuple[str, str, Any]]:
    """The logical id, the type and the properties of each. ``called`` is what gives the resource's name in the
    account."""
    for suffix, (type_, properties) in further.items():
        yield ids[suffix], type_, placed(named, called, ids, properties)


def _free(named: str, suffix: str, taken: Collection[str]) -> str:
    plain = f"{named}{suffix}"
    return f"{plain}{short_hash(named, suffix)}" if plain in taken else plain


def placed(named: str, called: Mapping[str, Any], ids: Mapping[str, str], value: Any) -> Any:
    """With the resource itself in the place of :data:`~mlops.ir.resource.ITSELF` and of its likes."""
    match value:
        case Mapping() if value == ITSELF:
            return {"Ref": named}
        case Mapping() if value == ITSELF_NAMED:
            return dict(called)
        case {"Ref": str(other)} if other.startswith(BESIDE):
            return {"Ref": ids[other.removeprefix(BESIDE)]}
        case Mapping():
            return {member: placed(named, called, ids, inner) for member, inner in value.items()}
        case list():
            return [placed(named, called, ids, inner) for inner in value]
    return value
