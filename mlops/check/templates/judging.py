"""All rules for templates, found in their folder, over one template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from mlops.check.located import Unreadable
from mlops.check.templates import rules
from mlops.check.templates.reading import ALIASES, read
from mlops.check.templates.template import Fault, Judge, Template, Told
from mlops.ir import Finding, Severity, Where
from mlops.ir.discovery import modules

READING: Mapping[str, Told] = {
    "T001": Told(
        "unreadable-template",
        Severity.ERROR,
        """A template is neither YAML nor JSON, is larger than CloudFormation takes, or uses anchors and aliases,
which it does not take.

Bad:  Tags: *tags
Good: the tags written out""",
    ),
}


@cache
def _rules() -> tuple[tuple[Mapping[str, Told], Judge], ...]:
    found = (module.load() for module in modules(rules).values())
    return tuple((module.FINDINGS, module.judge) for module in found)


@cache
def stories() -> Mapping[str, Told]:
    """By code."""
    return {**READING, **{code: told for codes, _ in _rules() for code, told in codes.items()}}


def judge(content: bytes, file: str) -> tuple[Finding, ...]:
    """Each once, though several scenarios show it."""
    try:
        document = read(content, file)
    except Unreadable as error:
        return (_unreadable(str(error), Where(file, error.line, error.column)),)
    template = Template(document)
    found = [*_findings(template, file)]
    if document.alias is not None:
        found.append(_unreadable(ALIASES, Where(file, *document.alias)))
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.sort_key))


def _unreadable(said: str, where: Where) -> Finding:
    known = READING["T001"]
    return Finding("T001", known.name, known.severity, said, where=where)


def _findings(template: Template, file: str) -> Iterator[Finding]:
    for codes, judged in _rules():
        for scenario in template.scenarios:
            for fault in judged(template, scenario):
                yield fault if isinstance(fault, Finding) else _finding(fault, codes, template, file)


def _finding(fault: Fault, codes: Mapping[str, Told], template: Template, file: str) -> Finding:
    told = codes[fault.code]
    line, column = fault.place or template.document.at(fault.at)
    return Finding(
        fault.code,
        told.name,
        told.severity,
        fault.message,
        help=fault.help,
        path=fault.at,
        where=Where(file, line, column),
    )
