"""JUnit XML: each finding a test case; errors fail, the rest pass with their text as output."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from mlops.check.places import shown_place
from mlops.ir import Finding, Severity


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    """A run without findings has one case that passes: some readers take an empty suite for a broken one."""
    failures = sum(finding.severity is Severity.ERROR for finding in findings)
    suite = Element("testsuite", name="mlops check", tests=str(len(findings) or 1), failures=str(failures), errors="0")
    for finding in findings:
        case = SubElement(
            suite, "testcase", classname=_text(f"{finding.code} {finding.name}"), name=_text(shown_place(finding))
        )
        step = f"[{finding.step}] " if finding.step else ""
        text = _text(f"{finding.severity.value}: {step}{finding.message}\n{finding.path or ''}\n{finding.help or ''}")
        if finding.severity is Severity.ERROR:
            SubElement(case, "failure", message=_text(finding.message), type=finding.code).text = text
        else:
            SubElement(case, "system-out").text = text
    if not findings:
        SubElement(suite, "testcase", classname="mlops", name="no findings")
    root = Element("testsuites")
    root.append(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _text(text: str) -> str:
    """XML 1.0 has no control characters and no surrogates."""
    return "".join(item if item in "\t\n" or (item >= " " and not _forbidden(item)) else "\ufffd" for item in text)


def _forbidden(item: str) -> bool:
    return "\ud800" <= item <= "\udfff" or item in "\ufffe\uffff"
