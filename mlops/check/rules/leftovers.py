"""Texts in which something of the author's program was left: an object's text in place of its value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_PYTHON = re.compile(
    r"""\{\s*'(?:Get|Std:Join|Std:JsonGet)'\s*:"""
    r"""|<(?:[a-z_]\w*\.)+\w+(?: object)?(?: at 0x[0-9a-fA-F]+)?>"""
    r"""|\b(?:Parameter(?:String|Integer|Float|Boolean)?|ExecutionVariable|PipelineVariable|Properties|JsonGet|Join)\((?:\w+=|'|\))"""
)
_REFERENCE = re.compile(r"(?:Parameters|Steps|Execution)\.(?P<name>[\w-]+)")
_FILLED = re.compile(
    r"\$\{(?:Parameters\.|Steps\.)?(?P<name>[\w-]+)[^}]*\}|\{\{\s*(?:Parameters\.)?(?P<other>[\w-]+)\s*\}\}"
)
_UNFILLED = re.compile(r"(?<![${])\{(?P<name>[A-Za-z_]\w*)\}(?!\})")
"""What an f-string was to fill."""
_SELDOM = re.compile(r"[{<(]|Parameters\.|Steps\.|Execution\.|None$|undefined$|nan$").search
_NOTHING = frozenset({"None", "undefined", "nan"})
_FREE = ("/Environment/", "/HyperParameters/", "/StaticHyperParameters/", "/Description", "/ErrorMessage", "Metadata")
_MEANT = ("CompressionType", "SplitType", "AssembleWith", "JoinSource", "SkipModelValidation", "RecordWrapperType")
"""Members for which None is a choice."""


@rule(
    "X891",
    "text-of-an-object",
    Severity.WARNING,
    source="seen where an expression or None was put into an f-string or str()",
)
def text_of_an_object(subject: Subject) -> Iterator[Fault]:
    """A text holds how Python writes an expression, an object or None, the bare path of a reference, or a placeholder
    with the name of a parameter, be it spelled as a variable of Python is. The service passes all of it on as it is.

    Bad:  "LABEL": "{'Get': 'Parameters.Label'}"
    Good: "LABEL": {"Get": "Parameters.Label"}
    """
    for at, text, placed in subject.texts:
        if _SELDOM(text) is None or len(text) > 4096 or _is_told_elsewhere(at, text):
            continue
        inside = at.endswith(("/On",)) or "/Std:JsonGet/" in at
        if _PYTHON.search(text):
            yield Fault(at, f"{shown(text)} is the text of an object of Python", "write the expression itself", placed)
        elif not inside and not _is_key(at) and (found := _reference(subject, text)) is not None:
            message = f"{shown(text)} is text, and no reference"
            yield Fault(at, message, f'write {{"Get": "{found}"}}, in a Std:Join where there is more', placed)
        elif (unfilled := _unfilled(subject, text)) is not None:
            help_text = f'join {{"Get": "Parameters.{unfilled}"}} in a Std:Join'
            yield Fault(at, f"{shown(text)} has a placeholder that nothing fills", help_text, placed)
        elif text in _NOTHING and not at.endswith(_MEANT) and not any(place in at for place in _FREE):
            yield Fault(at, f"{shown(text)} is a word here, not the absence of a value", "leave it out", placed)


def _is_told_elsewhere(at: str, text: str) -> bool:
    """Other languages, and what other rules say of texts in expressions and of their JSON."""
    return at.endswith(("/Regex", "/Path", "/MainClass")) or "/Get/" in at or text.lstrip().startswith(_JSON)


_JSON = ('{"Get"', '{"Std:', '{ "Get"', '{ "Std:')


def _is_key(at: str) -> bool:
    """Whether it is an argument of a container: the SDK's function steps are told references by their names."""
    return "/ContainerArguments/" in at or "/ContainerEntrypoint/" in at


def _reference(subject: Subject, text: str) -> str | None:
    """The path that a text was meant to read; None where it reads nothing that there is."""
    whole = _REFERENCE.match(text)
    if whole is not None and "/" not in text and " " not in text:
        return text if _exists(subject, text.partition(".")[0], whole["name"]) else None
    for match in _REFERENCE.finditer(text):
        if _exists(subject, text[match.start() :].partition(".")[0], match["name"]) and text.count(" ") < 2:
            return match[0] if match[0].startswith("Parameters") else f"{match[0]}..."
    for match in _FILLED.finditer(text):
        name = match["name"] or match["other"]
        if name in subject.parameters:
            return f"Parameters.{name}"
    return None


def _unfilled(subject: Subject, text: str) -> str | None:
    """The parameter that a placeholder of an f-string was meant to be."""
    for match in _UNFILLED.finditer(text):
        for name in subject.parameters:
            if _as_variable(name) == _as_variable(match["name"]):
                return name
    return None


def _as_variable(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _exists(subject: Subject, root: str, name: str) -> bool:
    if root == "Execution":
        return name in ("PipelineExecutionId", "PipelineName", "PipelineArn", "PipelineExecutionArn", "StartDateTime")
    return name in (subject.parameters if root == "Parameters" else subject.by_name)
