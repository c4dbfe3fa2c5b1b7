"""Lineage: entities and the associations between them, in the account.

One that is there already under its name is taken as it is: a pipeline that runs again says the same again. What the
service does then is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.run.outcome import Done, Outcome, StepFailed, Task
from mlops.run.ports import RequestRefused
from mlops.run.resolve import as_texts
from mlops.run.work import Work

_KINDS = ("Action", "Artifact", "Context")


def start(work: Work) -> Task:
    arns: dict[str, dict[str, str]] = {
        f"{kind}Arns": dict(_made(work, kind)) for kind in _KINDS if work.request.get(f"{kind}s")
    }
    associations = []
    for item in work.request.get("Associations") or ():
        request = {
            "SourceArn": _end(arns, item.get("Source") or {}),
            "DestinationArn": _end(arns, item.get("Destination") or {}),
        }
        kind = item.get("AssociationType")
        work.ports.registry.create("AddAssociation", {**request, **({"AssociationType": kind} if kind else {})})
        associations.append(request)
    told: dict[str, Any] = {**arns, **({"Associations": associations} if associations else {})}
    return Done(Outcome("Succeeded", None, {"Lineage": told}, told))


def _made(work: Work, kind: str) -> Iterator[tuple[str, str]]:
    for item in work.request[f"{kind}s"]:
        request = {**item, **({"Properties": as_texts(item["Properties"])} if "Properties" in item else {})}
        name = str(item.get(f"{kind}Name", ""))
        there = _there(work, kind, name)
        if there is None:
            there = work.ports.registry.create(f"Create{kind}", request)
        else:
            work.note(f"{there[f'{kind}Arn']} is there already, and is taken as it is")
        yield name, str(there[f"{kind}Arn"])


def _there(work: Work, kind: str, name: str) -> Mapping[str, Any] | None:
    """Artifacts are known by what they are of, and their name is no key."""
    if kind == "Artifact":
        return None
    try:
        return work.ports.registry.describe(f"Describe{kind}", {f"{kind}Name": name})
    except RequestRefused:
        return None


def _end(arns: Mapping[str, Mapping[str, str]], end: Mapping[str, Any]) -> str:
    if "Arn" in end:
        return str(end["Arn"])
    found = arns.get(f"{end.get('Type')}Arns", {}).get(str(end.get("Name")))
    if found is None:
        raise StepFailed(f"this step makes no {end.get('Type')} {end.get('Name')!r} that could be associated")
    return found
