"""Tags of what a pipeline makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity


@rule(
    "X890",
    "tag",
    Severity.ERROR,
    source="AWS docs: tagging, the prefix aws: is reserved; botocore: Tag, CreateModelPackage",
)
def tag(subject: Subject) -> Iterator[Fault]:
    """Two tags of one list have one key; a key begins with "aws:", which is for AWS alone; or a version of a model
    package group, which has the tags of its group, is given some of its own.

    Bad:  [{"Key": "aws:team", "Value": "growth"}]
    Good: [{"Key": "team", "Value": "growth"}]
    """
    for holder_at, holder, placed in subject.objects:
        listed, at = holder.get("Tags"), f"{holder_at}/Tags"
        if not isinstance(listed, tuple):
            continue
        seen: set[str] = set()
        for index, item in enumerate(listed):
            key = item.get("Key", item.get("key")) if isinstance(item, Mapping) else None
            if not isinstance(key, str):
                continue
            where = f"{at}/{index}/Key"
            if key.lower().startswith("aws:"):
                yield Fault(where, f"{shown(key)}: keys that begin with aws: are for AWS alone", "rename it", placed)
            elif key in seen:
                yield Fault(where, f"the key {shown(key)} stands twice", "remove one of them", placed)
            seen.add(key)
    for placed, arguments in subject.of_type("RegisterModel"):
        if arguments.get("Tags") and arguments.get("ModelPackageGroupName") is not None:
            message = "a version has the tags of its model package group, and takes none of its own"
            yield Fault(f"{placed.pointer}/Arguments/Tags", message, "tag the group", placed)
