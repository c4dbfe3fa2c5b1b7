"""Versions that an execution found made already, and those that it registered though an earlier one is made of the
same, since it was asked to run without the cache."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Repeated:
    """The version ``number`` names the model data and images that ``earlier`` names; None where nothing was registered,
    since ``earlier`` is made of the same."""

    group: str
    number: int | None
    earlier: int


def repeated_versions(state: State, execution: str) -> tuple[Repeated, ...]:
    """``execution`` is an id. Of several earlier versions the newest is told."""
    return tuple(_found(state, execution))


def _found(state: State, execution: str) -> Iterator[Repeated]:
    query = "SELECT started, metadata FROM step WHERE execution = ? AND type = 'RegisterModel' AND status = 'Succeeded'"
    for row in state.store.all(query, execution):
        arn = str((json.loads(row["metadata"]).get("RegisterModel") or {}).get("Arn", ""))
        group, _, number = arn.partition(":model-package/")[2].partition("/")
        if not number.isdigit():
            continue
        listed = state.store.all(
            "SELECT version, created, json_extract(body, '$.InferenceSpecification.Containers') AS containers "
            "FROM package WHERE name = ? AND version > 0 AND version <= ? ORDER BY version DESC",
            group,
            int(number),
        )
        made = next((item for item in listed if item["version"] == int(number)), None)
        if made is not None and made["created"] < row["started"]:
            yield Repeated(group, None, int(number))
            continue
        own = made["containers"] if made is not None else None
        earlier = [item["version"] for item in listed if item["version"] < int(number) and item["containers"] == own]
        if own is not None and earlier:
            yield Repeated(group, int(number), earlier[0])
