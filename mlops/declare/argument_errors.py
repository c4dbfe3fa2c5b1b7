"""pydantic's complaints about the arguments of a call, in the author's words: one finding per cause, with its mend."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlops.declare import references, sdk_words
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelReference, Poison, Reference, StringReference
from mlops.declare.shown import Labelled, shown
from mlops.declare.slips import near, slip
from mlops.ir import Edit, Where
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import Field
from mlops.project.exact_types import ExactCall

_WANTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "True or False",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a dictionary",
    "mapping_type": "a dictionary",
    "is_sequence": "a list",
    "sequence_str": "a list",
    "callable_type": "a function",
    "none_required": "None",
}
_CLASSES = {
    "ImageRequest": "image.…",
    "Sequence": "a list",
    "Mapping": "a dictionary",
    "Path": "a Path",
    "Secret": "secret(…)",
    "Step": "a step",
}
_MANY = 12
"""More arguments than this are no help to read."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of ``constructor``, whose arguments are ``known`` and stand in the document by their ``fields``. A record
    has no ``step``. ``function`` is what was called, behind ``self``; ``own`` are arguments that only it takes."""

    constructor: str
    function: Callable[..., Any]
    own: Sequence[str]
    known: Sequence[str]
    fields: Sequence[Field]
    step: str | None
    where: Where
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def places(self) -> list[str]:
        """Names of the arguments that need no keyword."""
        signature = inspect.signature(self.function).parameters.values()
        return [item.name for item in signature if item.kind is item.POSITIONAL_OR_KEYWORD and item.name != "self"]

    @property
    def given(self) -> dict[str, Any]:
        """By name, also those that nobody knows."""
        return {**dict(zip(self.places, self.args, strict=False)), **self.kwargs}

    def complaints(self, argument: str, value: object) -> list[dict[str, Any]]:
        """What would be wrong with it as that argument."""
        from mlops.declare.argument_judge import complaints  # a misspelt argument of a function needs no pydantic

        annotation = ExactCall(inspect.unwrap(self.function)).annotation(argument)
        return [] if annotation is None else complaints(annotation, argument, value)

    def tell(self, code: str, message: str, help: str | None, edit: Edit | None = None) -> None:
        call = f"{self.constructor} {self.step}" if self.step else self.constructor
        misuse(code, f"{call}: {message}", help=help, step=self.step, where=self.where, edit=edit)


@dataclass(frozen=True, slots=True)
class Left:
    """What the call is made of once its mistakes are told: ``arguments`` with poisoned values for the ``wrong`` ones.
    ``lost``: some may have been meant as any that is not there."""

    arguments: Mapping[str, Any]
    wrong: frozenset[str]
    lost: bool


def report(found: Iterable[Mapping[str, Any]], call: Call) -> Left:
    """Record what is wrong with a call."""
    by_argument: dict[str, list[Mapping[str, Any]]] = {}
    for detail in found:
        by_argument.setdefault(_argument(detail, call.places), []).append(detail)
    unknown = [name for name, details in by_argument.items() if _is_unknown(details)]
    missing = [name for name, details in by_argument.items() if details[0]["type"].startswith("missing")]
    meant = _meant(unknown, call)
    needless = [name for name in unknown if name not in meant and name in sdk_words.NEEDLESS]
    aimless = [name for name in unknown if name not in meant and name not in needless]
    lacking = [name for name in missing if name not in meant.values()]
    if len(aimless) == len(lacking) == 1 and lacking != ["name"]:
        meant[aimless[0]] = lacking[0]
        aimless = []
    crowded = len(call.args) > len(call.places)
    wrong = {*missing, *meant.values()}
    poor = {name: call.complaints(meant[name], call.kwargs[name]) for name in meant if meant[name] not in call.given}
    for name in meant:
        _tell_unknown(name, meant[name], call, lacks=meant[name] in lacking, fits=not poor.get(name))
        if poor.get(name) and meant[name] not in lacking:
            _tell_mistyped(meant[name], poor[name], call)
    for name in needless:
        call.tell("D040", f"there is no argument {name}", sdk_words.NEEDLESS[name])
    for name in aimless:
        call.tell("D040", f"there is no argument {name}", _answered(name, call) or _listed(call))
    if crowded:
        _tell_crowded(call)
    for name, details in by_argument.items():
        if name in missing and name not in meant.values() and not crowded:
            call.tell("D041", f"the argument {name} is missing", _of_missing(name, call))
        elif details[0]["type"] == "multiple_argument_values":
            call.tell("D040", f"{name} is given twice, once without its keyword", "keep one of the two")
        elif name not in missing and name not in unknown and not _is_crowded(details):
            _tell_mistyped(name, details, call)
            wrong.add(name)
    given = {name: value for name, value in call.given.items() if name in call.known}
    for name, argument in meant.items():
        if argument not in given and not poor[name]:
            given[argument] = call.kwargs[name]
            wrong.discard(argument)
    lost = bool(aimless or crowded)
    silent = {name for name in call.known if name not in given} if lost else set[str]()
    return Left({**given, **dict.fromkeys(wrong, Poison())}, frozenset(wrong | silent), lost)


def _argument(detail: Mapping[str, Any], places: Sequence[str]) -> str:
    """pydantic names a positional argument by its place, ``self`` being 0."""
    first = detail["loc"][0] if detail["loc"] else ""
    if isinstance(first, int) and 0 < first <= len(places):
        return places[first - 1]
    return str(first)


def _is_unknown(details: Sequence[Mapping[str, Any]]) -> bool:
    return details[0]["type"] in ("unexpected_keyword_argument", "extra_forbidden")


def _is_crowded(details: Sequence[Mapping[str, Any]]) -> bool:
    return bool(details[0]["type"] == "unexpected_positional_argument")


# Arguments that nobody knows.


def _meant(unknown: Sequence[str], call: Call) -> dict[str, str]:
    """What was meant by names that are not known, each by its own: ``entry_point`` is ``code``, but ``entry`` where
    ``source_dir`` is the code."""
    found: dict[str, str] = {}
    choices = {name: _choices(name, call) for name in unknown}
    for name in sorted(unknown, key=lambda name: len(choices[name])):
        taken = {*found.values(), *call.given}
        free = [choice for choice in choices[name] if choice not in taken]
        if choices[name]:
            found[name] = (free or choices[name])[0]
    return {name: found[name] for name in unknown if name in found}


def _choices(name: str, call: Call) -> list[str]:
    ours = sdk_words.ours(name, call.known, call.fields, call.constructor)
    is_answered = name in sdk_words.NEEDLESS or sdk_words.answer(name, call.constructor) is not None
    return ours or ([] if is_answered else near(name, call.known)[:1])


def _tell_unknown(name: str, meant: str, call: Call, *, lacks: bool, fits: bool) -> None:
    given = {key: value for key, value in call.given.items() if key in call.known}
    is_word = meant in sdk_words.ours(name, call.known, call.fields, call.constructor)
    if meant in given:
        help = f"{meant} is given already, and means the same" if is_word else _listed(call)
    elif lacks:
        help = f"the argument {meant} is missing: write {meant}=…"
    else:
        help = f"here it is called {meant}" if is_word else f"did you mean {meant}?"
    edit = None
    if meant not in given and not lacks:
        sure = fits if is_word else slip(name, call.known) is not None
        edit = Edit(name, meant) if sure else None
    call.tell("D040", f"there is no argument {name}", help, edit)


def _answered(name: str, call: Call) -> str | None:
    """What a word of the SDK's is here, or why it is nothing."""
    answer = sdk_words.answer(name, call.constructor)
    if answer == f"`{name}=`":
        return None  # of steps, and this one lacks it
    return answer if answer is None or answer.startswith(sdk_words.NOTHING) else f"here it is {answer}"


def _listed(call: Call) -> str:
    """Its own arguments; what every step takes besides is no help here."""
    listed = [name for name in call.own if name != "name"] or [name for name in call.known if name != "name"]
    rest = "; other members of the request go into arguments={…}" if "arguments" in call.known else ""
    if len(listed) <= _MANY + 2:
        return f"it takes {', '.join(listed)}{rest}"
    return f"it takes {', '.join(listed[:_MANY])} and {len(listed) - _MANY} more, all in docs/arguments.md{rest}"


def _tell_crowded(call: Call) -> None:
    places = call.places
    required = [name for name in call.own if name not in places and name not in call.kwargs]
    named = ", ".join(f"{name}=…" for name in required[:2]) or "after=[…]"
    plainly = " and ".join(places) if len(places) < 3 else f"{', '.join(places[:-1])} and {places[-1]}"
    if any(isinstance(arg, types.FunctionType) for arg in call.args) and not places:
        help = f"write @{call.constructor}({named})"
        call.tell("D040", "the function itself stands where its settings should", help)
        return
    number = f"{len(call.args)} arguments stand" if len(call.args) > 1 else "an argument stands"
    call.tell(
        "D040",
        f"{number} without a keyword, and {f'only {plainly}' if plainly else 'none'} may",
        f"write the others with their names, e.g. {named}" if required or call.step else "leave them out",
    )


def _of_missing(name: str, call: Call) -> str:
    if name == "name":
        return f'it comes first: {call.constructor}("Name", …)'
    return f"add {name}=…, or give it right after the others" if name in call.places else f"add {name}=…"


# Arguments of another type.


def _tell_mistyped(argument: str, details: Sequence[Mapping[str, Any]], call: Call) -> None:
    """A union reports every member: what was found deepest inside is the value at fault, and there may be several."""
    by_path: dict[tuple[str | int, ...], list[Mapping[str, Any]]] = {}
    for detail in details:
        by_path.setdefault(_path(detail), []).append(detail)
    for path, said in by_path.items():
        if not any(other != path and other[: len(path)] == path for other in by_path):
            _tell_value(argument + "".join(f"[{part!r}]" for part in path), said, call)


def _tell_value(place: str, details: Sequence[Mapping[str, Any]], call: Call) -> None:
    wanted = list(dict.fromkeys(text for detail in details for text in _expectations(detail)))
    if "a number" in wanted and "an integer" in wanted:
        wanted.remove("an integer")
    value = details[0]["input"]
    words = [word for detail in details if detail["type"] == "literal_error" for word in _words(detail)]
    message = f"{place} should be {_either(wanted)}; it is {shown(value)}"
    close = near(value, words) if isinstance(value, str) else []
    if close:
        call.tell("D042", message, f"did you mean {close[0]!r}?", slip(value, words))
        return
    call.tell("D042", message, _mend(value, wanted, place))


def _either(wanted: Sequence[str]) -> str:
    return " or ".join(wanted) if len(wanted) < 3 else f"{', '.join(wanted[:-1])} or {wanted[-1]}"


def _path(detail: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Keys and indexes of the user's value; pydantic mixes in the names of union members."""
    return tuple(
        part
        for part in detail["loc"][1:]
        if isinstance(part, int) or not re.search(r"^(str|int|float|bool|bytes)$|\[|is-instance|[A-Z]\w+$", part)
    )


def _expectations(detail: Mapping[str, Any]) -> Iterator[str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "is_instance_of":
        name = str(context["class"]).rpartition(".")[2]
        found = getattr(references, name, None)
        yield found.noun if isinstance(found, type) and issubclass(found, Reference) else _CLASSES.get(name, name)
    elif kind == "is_subclass_of":
        yield str(context["class"])
    elif kind in ("dataclass_type", "dataclass_exact_type"):
        yield _CLASSES.get(str(context["class_name"]), f"{context['class_name']}(…)")
    elif kind == "literal_error":
        yield from map(repr, _words(detail))
    elif kind in ("greater_than", "greater_than_equal"):
        yield f"{'more than' if kind == 'greater_than' else 'at least'} {context.get('gt', context.get('ge'))}"
    elif kind == "string_pattern_mismatch":
        yield f"a text of the form {context['pattern']}"
    elif kind in _WANTED:
        yield _WANTED[kind]
    else:
        yield str(detail["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")


def _words(detail: Mapping[str, Any]) -> list[str]:
    """
    >>> _words({"ctx": {"expected": "'File', 'FastFile' or 'Pipe'"}})
    ['File', 'FastFile', 'Pipe']
    """
    return re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))


def _mend(value: object, wanted: Sequence[str], argument: str) -> str:
    """What its author most probably means, as he would write it."""
    if value is None:
        return "leave it out" if argument.endswith("]") else "leave the argument out"
    if isinstance(value, types.FunctionType) and "image.…" in wanted:
        return f'call it: image.{value.__name__}("…")'
    if isinstance(value, types.ModuleType) and "image.…" in wanted:
        return 'say which: image.sklearn("1.2-1")'
    if isinstance(value, Labelled):
        return _of_labelled(value, wanted, argument)
    if isinstance(value, str):
        return _of_text(value, wanted, argument)
    if isinstance(value, float) and value.is_integer() and "an integer" in wanted:
        return f"write {int(value)}"
    if isinstance(value, bool) and "a string" in wanted:
        return f'write the text: "{str(value).lower()}"'
    if isinstance(value, int | float) and "a string" in wanted:
        return f'write it in quotes: "{value}"'
    if isinstance(value, list | tuple) and "a dictionary" in wanted:
        if argument == "arguments":
            return "members of the request stand there by name; words of the command line are args=[…]"
        return f'give each a name: {argument}={{"name": …}}'
    return _example(argument, wanted)


def _of_labelled(value: Labelled, wanted: Sequence[str], argument: str) -> str:
    if "a list" in wanted:
        return f"put it into a list: {argument}=[…]"
    if "TrainingJob(…)" in wanted:
        return "write TrainingJob(…), with the arguments that Training takes"
    if "a created model's name" in wanted and not isinstance(value, StringReference):
        return 'make the model first: model = Model("Model", model=train.model, image=…), then give model.model_name'
    if isinstance(value, Reference) and "a dictionary" in wanted:
        return f'give it a name: {argument}={{"name": …}}'
    if "Channel(…)" in wanted and isinstance(value, ModelReference):
        return "write Channel(…) around it"
    if value.instead:
        return f"did you mean {value.instead}?"
    if "a trained model" in wanted:
        return "give what a training made, e.g. train.model, or the S3 URI of a model.tar.gz"
    return _example(argument, wanted)


def _of_text(value: str, wanted: Sequence[str], argument: str) -> str:
    if re.fullmatch(r"-?\d+", value) and "an integer" in wanted:
        return f"write {value} without quotes"
    if "a list" in wanted:
        try:
            words = shlex.split(value)
        except ValueError:  # an open quote
            words = [value]
        return f"write it as a list: {json.dumps(words, ensure_ascii=False)}"
    return _example(argument, wanted)


_EXAMPLES = {
    "an integer": "1",
    "a number": "0.5",
    "True or False": "True",
    "a string": '"…"',
    "a list": "[…]",
    "a dictionary": '{"name": …}',
    "a Path": 'Path("…")',
    "a step": "[train]",
    "image.…": 'image.sklearn("1.2-1")',
}


def _example(argument: str, wanted: Sequence[str]) -> str:
    ready = [_EXAMPLES.get(item, item if item.endswith("(…)") or item.startswith("'") else "") for item in wanted]
    first = next((item for item in ready if item.endswith(")")), None) or next((item for item in ready if item), None)
    if first is None:
        return f"give {wanted[0]}, or leave the argument out"
    return f"write e.g. {first}" if argument.endswith("]") else f"write e.g. {argument}={first}"
