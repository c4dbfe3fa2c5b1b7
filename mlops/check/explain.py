"""The story of a finding's code: what it is, why that is bad, bad and good examples, and where the fact comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.check.account_findings import ACCOUNT_FINDINGS
from mlops.check.codes import ALLOWANCES, SURROUNDINGS
from mlops.check.nearest import nearest
from mlops.check.plugged import PLUGINS, all_rules
from mlops.ir import Severity, UsageError
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Story:
    """``source`` is None for what follows from Python or JSON themselves."""

    code: str
    name: str
    severity: Severity
    text: str
    source: str | None = None

    def as_dictionary(self) -> dict[str, str | None]:
        """For programs."""
        severity = self.severity.value
        return {"code": self.code, "name": self.name, "severity": severity, "text": self.text, "source": self.source}


def stories() -> Mapping[str, Story]:
    """Every code that a finding can have: of rules, the DSL, the reader, allow comments and the preflight."""
    from mlops.check.costs.budgets import FINDINGS as of_budgets
    from mlops.check.machines.judging import FINDINGS as of_machines
    from mlops.check.tables import FINDINGS as of_tables
    from mlops.check.templates.judging import stories as of_templates
    from mlops.declare.mistakes import MISTAKES
    from mlops.ir.reader import FAULTS

    told = [Story(rule.code, rule.name, rule.severity, rule.text, rule.source) for rule in all_rules()]
    told += [Story(code, mistake.name, mistake.severity, mistake.text) for code, mistake in MISTAKES.items()]
    told += [Story(code, name, Severity.ERROR, text) for code, (name, text) in FAULTS.items()]
    told += [Story(code, name, Severity.WARNING, text) for code, (name, text) in {**ALLOWANCES, **SURROUNDINGS}.items()]
    told += [Story(code, name, Severity.ERROR, text) for code, (name, text) in PLUGINS.items()]
    told += [Story(code, item.name, item.severity, item.text) for code, item in ACCOUNT_FINDINGS.items()]
    told += [
        Story(code, item.name, item.severity, item.text)
        for code, item in {**of_templates(), **of_machines, **of_budgets, **of_tables}.items()
    ]
    return {story.code: story for story in told}


def find_story(code: str) -> Story:
    """By code or name, in any case; raises :class:`UsageError`."""
    wanted = code.strip().lower()
    known = {key: story for story in stories().values() for key in (story.code.lower(), story.name)}
    if wanted in known:
        return known[wanted]
    guess = nearest(wanted, known)
    hint = f"did you mean {known[guess].code} ({known[guess].name})?" if guess else "`mlops rules` lists them all"
    raise UsageError(f"there is no rule {code!r}", hint=hint)


def explain(code: str) -> str:
    story = find_story(code)
    source = f"\n\nSource: {story.source}" if story.source else ""
    return f"{story.code} {story.name} ({story.severity.value})\n\n{story.text}{source}\n"


_FAMILIES = {
    "A": "Allow comments, plug-ins and accounts",
    "C": "Conditions",
    "D": "Pipeline files",
    "E": "The document and the members of steps",
    "G": "The graph",
    "H": "House policy",
    "J": "Definitions in JSON",
    "M": "State machines of Step Functions",
    "P": "Parameters",
    "R": "References and expressions",
    "S": "Requests",
    "T": "Templates of CloudFormation",
    "X": "Fields that depend on each other, and contracts",
}


def page() -> str:
    """``docs/rules.md``: every code with its story, by family."""
    told = sorted(stories().values(), key=lambda story: story.code)
    lines = [
        "# Rules",
        "",
        "Every code that a finding can have, generated from the rules: `mlops explain CODE` prints the same.",
        "How to choose among them is told in [checking.md](checking.md).",
    ]
    family = ""
    for story in told:
        if story.code[0] != family:
            family = story.code[0]
            lines += ["", f"## {family}: {_FAMILIES.get(family, 'others')}"]
        lines += ["", f"### {story.code} {story.name}", "", f"*{story.severity.value.capitalize()}.* {_prose(story)}"]
        examples = story.text[len(_prose_of(story)) :].strip("\n")
        if examples:
            lines += ["", "```text", *examples.splitlines(), "```"]
        if story.source:
            lines += ["", f"Source: {_escaped(story.source)}"]
    return "\n".join(lines) + "\n"


def _prose_of(story: Story) -> str:
    """The text up to the examples."""
    cut = re.search(r"^Bad:", story.text, re.MULTILINE)
    return story.text[: cut.start()] if cut else story.text


def _prose(story: Story) -> str:
    return _escaped(_prose_of(story).strip())


def _escaped(text: str) -> str:
    """Plain text as Markdown: what looks like markup is meant as it is written."""
    return re.sub(r"([\\*_<\[\]|])", r"\\\1", text)
