"""The files that a step reads: by which states, and under which names they lie in the machine's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.ir import Join, JsonGet, Ref, Step, Value
from mlops.ir.values import Key


def files_of(step: Step) -> Mapping[str, tuple[str, JsonGet]]:
    """By state the file that it reads, and its name in the data; each file once."""
    wanted = dict[str, JsonGet]()
    for item in json_gets(step.arguments):
        wanted.setdefault(label_of(step, item), item)
    return {
        f"{step.name} reads{f' {number}' if number > 1 else ''}": item for number, item in enumerate(wanted.items(), 1)
    }


def label_of(step: Step, wanted: JsonGet) -> str:
    written = wanted.path if isinstance(wanted.path, str) else ""
    found = wanted.property_file.path if isinstance(wanted.property_file, Ref) else None
    if found is not None and found.root == "Steps" and len(found.segments) == 2:
        file = found.segments[1]
        return f"{found.name} {file.text if isinstance(file, Key) else file} {written}"
    alike = [item for item in json_gets(step.arguments) if item.property_file is None]
    number = next((at for at, item in enumerate(alike, 1) if item == wanted), 1)
    return f"{step.name} {number} {written}"


def json_gets(value: Value) -> Iterator[JsonGet]:
    match value:
        case JsonGet():
            yield value
        case Join():
            for item in value.values:
                yield from json_gets(item)
        case Mapping():
            for item in value.values():
                yield from json_gets(item)
        case tuple():
            for item in value:
                yield from json_gets(item)
