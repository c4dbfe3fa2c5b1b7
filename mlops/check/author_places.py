"""From the line of a step to the word that a finding is about, where Python's own parser leaves no doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops.check.python_source import PythonSource, Word
from mlops.ir import Definition, Finding, Step, Value, Where

_COMMON = (0, 1, "", "0", "1")
"""Too usual to be found by their value."""
_ARGUMENTS = "Arguments"
_SHORTEST = 4
"""Letters that a keyword must share with a member's name: ``role`` with RoleArn."""


class AuthorPlaces:
    """Of the findings on one definition, which may be None where a file declared none."""

    def __init__(self, definition: Definition | None) -> None:
        self._steps: Mapping[str, Step] = (
            {placed.pointer: placed.step for placed in definition.placed()} if definition else {}
        )
        self._parameters = definition.parameters if definition else ()

    def place(self, finding: Finding, source: PythonSource) -> Where:
        """The finding's own place, with line and column of the one word of that statement which it must mean."""
        where = finding.where
        if where.line is None or where.column is not None:
            return where
        word = self.word(finding, source)
        return where if word is None else Where(where.file, word.line, word.column)

    def word(self, finding: Finding, source: PythonSource) -> Word | None:
        """The value itself, by what stands beside it where it stands in several places; else what names the thing that
        has it. Also in statements that give the step's own one their names. None where no word fits, or more than one.
        """
        own = source.words(finding.where.line or 0)
        way = self._way(finding.path)
        word = self._by_value(finding, source, own, way) or _holder(source, own, way, only_member=True)
        if word is not None:
            return word
        # What is mended by itself stays where the step stands: another may use the name, too.
        given = source.words_of_names(finding.where.line or 0) if finding.edit is None else ()
        named = [*own, *given]
        return self._by_value(finding, source, named, way) or _holder(source, own, way) or _holder(source, named, way)

    def _by_value(
        self, finding: Finding, source: PythonSource, words: Sequence[Word], way: Sequence[tuple[str, Value]]
    ) -> Word | None:
        for wanted in self._wanted(finding):
            fitting = [word for word in words if _is(word, wanted)]
            if len(fitting) > 1:
                fitting = _beside(source, words, fitting, way)
            if len(fitting) == 1:
                return fitting[0]
        return None

    def _wanted(self, finding: Finding) -> Iterator[str | int | float]:
        if finding.edit is not None:
            yield finding.edit.old
        if finding.path is not None:
            value = self._value(finding.path)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value not in _COMMON:
                yield value
            if finding.edit is None and finding.path.count("/") > 2:
                yield _text(finding.path.rpartition("/")[2])

    def _value(self, path: str) -> Value:
        """What the definition holds at a pointer into a step or a parameter; None for anything else."""
        tokens = path.split("/")[1:]
        if len(tokens) == 3 and tokens[0] == "Parameters" and tokens[1].isdecimal():
            index = int(tokens[1])
            return self._parameters[index].members.get(tokens[2]) if index < len(self._parameters) else None
        way = self._way(path)
        return way[-1][1] if way else None

    def _way(self, path: str | None) -> Sequence[tuple[str, Value]]:
        """The tokens of a pointer below its step, each with what is there."""
        tokens = (path or "").split("/")[1:]
        for cut in range(len(tokens) - 1, 1, -1):
            step = self._steps.get("/" + "/".join(tokens[:cut]))
            if step is not None:
                found: list[tuple[str, Value]] = []
                value: Value = {**step.members, "Arguments": step.arguments}
                for token in map(_text, tokens[cut:]):
                    value = _inner(value, token)
                    found.append((token, value))
                return found
        return ()


def _is(word: Word, wanted: str | int | float) -> bool:
    """Numbers are texts in hyperparameters, ranges and arguments of containers."""
    if isinstance(wanted, str) and isinstance(word.value, str):
        return word.value == wanted
    try:
        return not isinstance(word.value, str) and float(word.value) == float(wanted)
    except (ValueError, OverflowError):
        return False


def _beside(
    source: PythonSource, words: Sequence[Word], fitting: Sequence[Word], way: Sequence[tuple[str, Value]]
) -> list[Word]:
    """Those that share the narrowest part of the source with a name that belongs to the value's object."""
    for names in _names(way):
        for name in names:
            anchors = [word for word in words if word.value == name]
            if len(anchors) != 1 or anchors[0] in fitting:
                continue
            for part in source.around(anchors[0]):
                within = [word for word in fitting if word in part]
                if within:
                    return within
    return []


def _names(way: Sequence[tuple[str, Value]]) -> Iterator[list[str]]:
    """Texts that stand for the objects around a value, from the innermost: their keys and what is in them."""
    for index in range(len(way) - 1, -1, -1):
        token, value = way[index]
        inside = value.values() if isinstance(value, Mapping) else ()
        texts = [text for text in inside if isinstance(text, str) and text not in _COMMON]
        yield [token, *texts] if not token.isdecimal() else texts


def _holder(
    source: PythonSource, words: Sequence[Word], way: Sequence[tuple[str, Value]], *, only_member: bool = False
) -> Word | None:
    """What names the member, or the nearest object around one that stands nowhere or by another value."""
    depths = range(len(way) - 1, -1, -1)
    for index in depths[:1] if only_member else depths:
        token, value = way[index]
        if token == _ARGUMENTS:
            break
        if token.isdecimal():
            texts = [value] if isinstance(value, str) else next(_names(((token, value),)))
            each = [[word for word in words if word.value == text] for text in texts]
            fitting = next((found for found in each if len(found) == 1), [])
        else:
            literals = [word for word in words if word.is_literal and word.value == token]
            fitting = literals or [word for word in words if word.kind == "keyword" and _may_name(word, token)]
            if len(fitting) > 1:
                fitting = _beside(source, words, fitting, way[:index])
        if len(fitting) == 1:
            return fitting[0]
    return None


def _may_name(word: Word, member: str) -> bool:
    """
    >>> weight = Word("weight", 1, 1, 7, "keyword")
    >>> _may_name(weight, "InitialVariantWeight"), _may_name(weight, "ModelName")
    (True, False)
    """
    name = str(word.value).replace("_", "").lower()
    return len(name) >= _SHORTEST and name != "name" and name in member.lower()


def _inner(value: Value, token: str) -> Value:
    if isinstance(value, Mapping):
        return value.get(token)
    if isinstance(value, tuple) and token.isdecimal() and int(token) < len(value):
        return value[int(token)]
    return None


def _text(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
