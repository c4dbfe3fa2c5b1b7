"""From the line of a step to the word that a finding is about, where Python's own parser leaves no doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.python_source import PythonSource, Word
from mlops.ir import Definition, Finding, Step, Value, Where

_COMMON = (0, 1, "")
"""Too usual to be found by their value."""


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
        """None where no word fits, or more than one."""
        words = source.words(finding.where.line or 0)
        for wanted in self._wanted(finding):
            fitting = [word for word in words if type(word.value) is type(wanted) and word.value == wanted]
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
        for cut in range(len(tokens) - 1, 1, -1):
            step = self._steps.get("/" + "/".join(tokens[:cut]))
            if step is not None:
                value: Value = {**step.members, "Arguments": step.arguments}
                for token in tokens[cut:]:
                    value = _inner(value, _text(token))
                return value
        return None


def _inner(value: Value, token: str) -> Value:
    if isinstance(value, Mapping):
        return value.get(token)
    if isinstance(value, tuple) and token.isdecimal() and int(token) < len(value):
        return value[int(token)]
    return None


def _text(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
