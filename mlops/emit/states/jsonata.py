"""Values of a definition as JSONata, in which a state machine computes.

What a machine knows travels as the data of its states, ``$states.input``: Parameters, Execution, and by step what later
steps read. Variables are not used: what a branch of a Parallel assigns is unknown outside, and what one of two roads
did not assign cannot be asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops.ir import Definition, Join, JsonGet, Ref, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.json_path import PathMissing, parse
from mlops.ir.values import Key, RefPath, Unknown

DATA = "$states.input"
TEXTS = frozenset({"HyperParameters", "StaticHyperParameters", "Environment", "CustomerMetadataProperties"})
"""Maps of the requests whose values are texts: what is put there of another type becomes one."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINES = re.compile("[\n\r\u2028\u2029]")
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_EXECUTION: Mapping[str, str] = {
    "StartDateTime": "$states.context.Execution.StartTime",
    "CurrentDateTime": "$now()",
    "PipelineExecutionId": f"{DATA}.Execution.Id",
    "PipelineArn": "$states.context.StateMachine.Id",
    "PipelineExecutionArn": "$states.context.Execution.Id",
}
JOB_NAMES = frozenset({"TrainingJobName", "ProcessingJobName"})


class Unspelled(Exception):
    """A clause: what a machine cannot do."""


@dataclass(frozen=True, slots=True)
class Words:
    """What may be named where an expression stands. ``keyed`` gives the lists of a step's results that are indexed by
    name, ``job_name`` is the JSONata of the job that the step launches. ``reads`` takes note of each file that is read
    and says under which name it lies in the data."""

    definition: Definition
    keyed: Callable[[str], Mapping[str, str]]
    reads: Callable[[JsonGet], str]
    job_name: str | None = None


def literal(text: str) -> str:
    """
    >>> literal("s3://b"), literal("it's"), literal("a\\\\b")
    ("'s3://b'", '"it\\'s"', '"a\\\\\\\\b"')
    """
    plain = "'" not in text and "\\" not in text and text.isprintable()
    if plain:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def name(text: str) -> str:
    """A member of an object, in a path.

    >>> name("Train"), name("my-step")
    ('Train', '`my-step`')
    """
    if _PLAIN.fullmatch(text) and text not in _WORDS:
        return text
    if "`" in text:
        raise Unspelled(f"JSONata has no name for {text!r}")
    return f"`{text}`"


def braces(expression: str) -> str:
    return f"{{% {expression} %}}"


def obj(members: Mapping[str, str]) -> str:
    """An object whose values are JSONata.

    >>> obj({"a": "1"})
    "{'a': 1}"
    """
    return "{" + ", ".join(f"{literal(key)}: {value}" for key, value in members.items()) + "}"


def merged(*further: str, base: str = DATA) -> str:
    """The data, with more in it.

    >>> merged("{'a': 1}")
    "$merge([$states.input, {'a': 1}])"
    """
    return f"$merge([{', '.join((base, *further))}])"


def within(place: str, more: str) -> str:
    """The data with ``more`` in one of its members, beside what is there."""
    return merged(obj({place: f"$merge([{DATA}.{place}, {more}])"}))


def spelled(value: Value, words: Words, *, text: bool = False) -> Any:
    """As JSON of the machine's definition; members that are null are left out, as the service's clients do."""
    match value:
        case Mapping():
            return {key: _member(key, item, words, text) for key, item in value.items() if item is not None}
        case tuple():
            return [spelled(item, words, text=text) for item in value]
        case str():
            # The schema that machines are judged by knows texts of one line, and no empty ones.
            is_odd = not value or (value.startswith("{%") and value.endswith("%}")) or _LINES.search(value) is not None
            return braces(literal(value)) if is_odd else value
        case bool() | int() | float():
            return json.dumps(value) if text else value
        case Ref() | Join() | JsonGet():
            found = expression(value, words)
            return braces(f"$string({found})" if text and not isinstance(value, Join) else found)
        case Unknown():
            raise AssertionError("a value with a reported mistake reached the emitter")
    return value


def _member(key: str, value: Value, words: Words, is_text: bool) -> Any:
    if is_text and isinstance(value, Mapping | tuple):
        raise Unspelled(f"{key} is {'a list' if isinstance(value, tuple) else 'an object'} where a text is wanted")
    # An input of a function may be called like one of the maps.
    return spelled(value, words, text=is_text or (key in TEXTS and isinstance(value, Mapping)))


def expression(value: Value, words: Words) -> str:
    match value:
        case Ref():
            return _ref(value, words)
        case JsonGet():
            return f"{DATA}.Files.{name(words.reads(value))}"
        case Join():
            needed = [ref for ref in dict.fromkeys(_step_refs(value)) if isinstance(ref, Ref)]
            text = _joined(value, words)
            if not needed:
                return text
            # Nothing joined to a text is that text, and would be a wrong place.
            there = " and ".join(f"$exists({_ref(ref, words)})" for ref in needed)
            missing = " or ".join(ref.expression for ref in needed)
            return f"($assert({there}, {literal(f'there is no {missing}')}); {text})"
        case str():
            return literal(value)
        case bool() | int() | float() | None:
            return json.dumps(value)
        case tuple():
            return f"[{', '.join(expression(item, words) for item in value)}]"
        case Mapping():
            return obj({key: expression(item, words) for key, item in value.items()})
    raise AssertionError("a value with a reported mistake reached the emitter")


def kept(ref: RefPath) -> str | None:
    """The member of a step's result that a reference reads."""
    first = ref.segments[0] if ref.segments else None
    if not isinstance(first, str):
        return None
    return "ProcessingOutputConfig" if first == "PropertyFiles" else first


def path(base: str, segments: Sequence[str | int | Key], keyed: Mapping[str, str] | None = None) -> str:
    """
    >>> path("$states.input.Steps.Prep", ("Outputs", Key("train"), "Uri"), {"Outputs": "OutputName"})
    "$states.input.Steps.Prep.Outputs[OutputName='train'].Uri"
    """
    found, members = base, list[str]()
    for segment in segments:
        match segment:
            case int():
                found += f"[{segment}]"
            case str():
                members.append(segment)
                found += f".{name(segment)}"
            case Key(text=key):
                by = (keyed or {}).get(".".join(members))
                found += f"[{name(by)}={literal(key)}]" if by is not None else f".{name(key)}"
    return found


def file_path(base: str, written: str) -> str:
    """The part of a JSON file that a JsonPath leads to."""
    try:
        return path(base, [Key(item) if isinstance(item, str) else item for item in parse(written)])
    except PathMissing as error:
        raise Unspelled(str(error)) from None


def _ref(ref: Ref, words: Words) -> str:
    found = ref.path
    if found is None:
        raise Unspelled(f"{ref.expression!r} is no expression")
    match found.root:
        case "Parameters":
            return f"{DATA}.Parameters.{name(found.name)}"
        case "Steps":
            return path(f"{DATA}.Steps.{name(found.name)}", found.segments, words.keyed(found.name))
        case "Execution" if found.name in JOB_NAMES and words.job_name is not None:
            return words.job_name
        case "Execution" if found.name == "PipelineName":
            return literal(words.definition.name or "pipeline")
        case "Execution" if found.name in _EXECUTION:
            return _EXECUTION[found.name]
        case "ForEach" if found.name == "CurrentItem":
            item = f"{DATA}.Loop.Item"
            # Of a list in a file or a text an item may be an object, elsewhere it is the text of one.
            parsed = f"($type({item}) = 'string' ? $parse({item}) : {item})"
            return path(parsed, found.segments) if found.segments else item
        case "PipelineExperimentConfig":
            config = words.definition.members.get("PipelineExperimentConfig")
            setting = config.get(found.name) if isinstance(config, Mapping) else None
            if setting is not None and not (isinstance(setting, Ref) and setting.expression == ref.expression):
                return expression(setting, words)
    raise Unspelled(f"{ref.expression} is nothing that a machine knows")


def _step_refs(value: Value) -> Iterator[Value]:
    match value:
        case Join():
            for item in value.values:
                yield from _step_refs(item)
        case Ref() if (found := value.path) is not None and found.root == "Steps":
            yield value


def _joined(join: Join, words: Words) -> str:
    parts: list[tuple[bool, str]] = []

    def add(plain: bool, text: str) -> None:
        if plain and parts and parts[-1][0]:
            parts[-1] = (True, parts[-1][1] + text)
        elif not plain or text:
            parts.append((plain, text))

    def take(item: Join) -> None:
        for number, value in enumerate(item.values):
            if number:
                add(True, item.on)
            match value:
                case Join():
                    take(value)
                case str():
                    add(True, value)
                case bool() | int() | float():
                    add(True, json.dumps(value))
                case _:
                    add(False, expression(value, words))

    take(join)
    if not parts:
        return "''"
    told = [literal(text) if plain else text for plain, text in parts]
    return told[0] if len(told) == 1 and parts[0][0] else f"$string({told[0]})" if len(told) == 1 else " & ".join(told)


# Conditions.

_ORDERS: Mapping[str, str] = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}


def condition(value: Value, words: Words) -> str:
    """Of Conditions: a list, all of which have to hold."""
    if not isinstance(value, tuple):
        raise Unspelled("its Conditions are no list")
    found = [_holds(item, words) for item in value]
    return " and ".join(found) or "true"


def _holds(item: Value, words: Words) -> str:
    match item:
        case {"Type": str(kind), "LeftValue": left, "RightValue": right} if kind in _ORDERS:
            return _compared(kind, left, right, words)
        case {"Type": "In", "QueryValue": query, "Values": tuple(values)}:
            return f"({expression(query, words)} in {expression(values, words)})"
        case {"Type": "Not", "Condition": inner}:
            return f"$not({_holds(inner, words)})"
        case {"Type": "Or", "Conditions": tuple(inner)}:
            return f"({' or '.join(_holds(each, words) for each in inner)})"
    raise Unspelled("it has a condition of an unknown type")


def _compared(kind: str, left: Value, right: Value, words: Words) -> str:
    one, other = expression(left, words), expression(right, words)
    compared = f"{one} {_ORDERS[kind]} {other}"
    kinds = {_kind(left, words), _kind(right, words)}
    if len(kinds) == 1 and None not in kinds:
        return f"({compared})"
    # JSONata says false where two types differ, and the run says that they cannot be compared.
    return f"($assert($type({one}) = $type({other}), 'two types cannot be compared'); {compared})"


def _kind(value: Value, words: Words) -> str | None:
    """Known before anything runs; None where it is not."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str() | Join():
            return "string"
        case Ref() if (found := value.path) is not None and found.root == "Parameters":
            parameter = words.definition.parameter(found.name)
            return TYPES.get(parameter.type) if parameter is not None else None
    return None


TYPES: Mapping[str, str] = {"String": "string", "Integer": "number", "Float": "number", "Boolean": "boolean"}
"""Of parameters, as JSONata's ``$type`` calls them."""
