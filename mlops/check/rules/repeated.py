"""What stands twice in a list where once is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value

_LISTS: Mapping[str, str | None] = {
    "Subnets": None,
    "SecurityGroupIds": None,
    "InstanceGroupNames": None,
    "AttributeNames": None,
    "CsvContentTypes": None,
    "JsonContentTypes": None,
    "AutoMLAlgorithms": None,
    "Alarms": "AlarmName",
    "CaptureOptions": "CaptureMode",
}
"""Lists of names, by their member; where its items are objects, the member that tells them apart."""


@rule("X938", "item-twice", Severity.WARNING, source="follows from the document")
def item_twice(subject: Subject) -> Iterator[Fault]:
    """A subnet, a security group, an alarm or another name stands twice in a list: another one was meant, or none.

    Bad:  "Alarms": [{"AlarmName": "churn-errors"}, {"AlarmName": "churn-errors"}]
    Good: "Alarms": [{"AlarmName": "churn-errors"}, {"AlarmName": "churn-latency"}]
    """
    for holder_at, holder, placed in subject.objects:
        for name in _LISTS.keys() & holder.keys():
            listed, seen = holder[name], set[str]()
            for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
                key = _key(item, _LISTS[name])
                if key is not None and key in seen:
                    at = f"{holder_at}/{name}/{index}"
                    yield Fault(at, f"{shown(key)} stands twice", "remove it, or name another", placed)
                seen.add(key or "")


def _key(item: Value, member: str | None) -> str | None:
    found = item.get(member) if member is not None and isinstance(item, Mapping) else item
    return found if isinstance(found, str) else None
