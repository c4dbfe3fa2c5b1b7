"""A datasheet for the data that a version was trained on: what is asked of every data set, answered from what was
declared and what is seen. What nobody answers is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

from mlops.deploy.cards.columns import TableStatistics
from mlops.deploy.cards.data import DataSet
from mlops.deploy.cards.facts import Known
from mlops.deploy.cards.page import data_set
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.sheet import Block, Gap, Heading, Paragraph, Section, Sheet, Table
from mlops.knowledge.datasheets import Question, questions
from mlops.project.root import CONFIGURATION

_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Answered:
    """``source`` is None where nobody answers: then the text is empty."""

    question: Question
    text: str
    source: Literal["declared", "seen"] | None


def answered(known: Known) -> tuple[Answered, ...]:
    """What is declared stands before what is seen."""
    return tuple(_answer(known, question) for question in questions())


def _answer(known: Known, question: Question) -> Answered:
    declared = known.intent.answers.get(question.name)
    if declared:
        return Answered(question, declared, "declared")
    seen = _SEEN[question.name](known) if question.measured else ""
    return Answered(question, seen, "seen" if seen else None)


def page(known: Known) -> Sheet:
    group, found = known.version.group, answered(known)
    gaps = [item for item in found if item.source is None]
    said = (item for item in found if item.source is not None)
    sections = [
        Section(title, [block for item in items for block in _blocks(item)])
        for title, items in groupby(said, lambda item: item.question.section)
    ]
    tables = [block for item in known.data for block in data_set(item)]
    if tables:
        sections.append(Section("Tables", tables))
    if gaps:
        where = f"[cards.{group}.data] of {CONFIGURATION} takes answers by these names."
        rows = [(item.question.section, item.question.text, item.question.name) for item in gaps]
        told = Gap(f"{counted(len(gaps), 'question')} that nobody answers")
        table = Table(("Part", "Question", "Name"), rows)
        sections.append(Section("Unanswered", (told, Paragraph(where), table)))
    under = f"what version {known.version.number} of {group} was trained on"
    badges = [counted(len(known.data), "input"), f"{len(found) - len(gaps)} of {len(found)} answered"]
    return Sheet(f"Datasheet of {group}", under, sections, badges)


def _blocks(item: Answered) -> Iterator[Block]:
    yield Heading(item.question.text)
    yield Paragraph(item.text)


def _tables(known: Known) -> Iterator[tuple[DataSet, TableStatistics]]:
    for item in known.data:
        if item.statistics is not None:
            yield item, item.statistics


def _count(known: Known) -> str:
    return _each(
        (item, f"{found.rows:,}{'' if item.whole else ' in the part that was read'}") for item, found in _tables(known)
    )


def _columns(known: Known) -> str:
    return _each((item, f"{counted(found.width, 'column')}: {_kinds(found)}") for item, found in _tables(known))


def _kinds(found: TableStatistics) -> str:
    kinds: dict[str, list[str]] = {}
    for column in found.columns:
        kinds.setdefault(column.kind, []).append(column.name)
    return "; ".join(f"{kind} ({_some(names)})" for kind, names in sorted(kinds.items()))


def _missing(known: Known) -> str:
    return _each(
        (item, _some([f"{it.name} in {it.missing:,}" for it in found.columns if it.missing]) or "nothing")
        for item, found in _tables(known)
    )


def _splits(known: Known) -> str:
    if len(known.data) < 2:
        return ""
    return "The training read " + ", ".join(
        f"{item.name}{f' ({item.statistics.rows:,} rows)' if item.statistics is not None else ''}"
        for item in known.data
    )


def _sources(known: Known) -> str:
    return "It lies at " + ", ".join(dict.fromkeys(item.uri for item in known.data)) if known.data else ""


def _timeframe(known: Known) -> str:
    return _each(
        (item, f"{column.name} goes from {column.low} to {column.high}")
        for item, found in _tables(known)
        for column in found.columns
        if column.kind == "time" and column.low is not None
    )


def _preparation(known: Known) -> str:
    pipeline = f" in the pipeline {known.lineage.pipeline}" if known.lineage.pipeline else ""
    return f"It was made by {', '.join(known.prepared)}{pipeline}." if known.prepared else ""


def _raw(known: Known) -> str:
    return "\n".join(f"{name}: {item.uri}" for name, item in known.raw.items())


def _preparation_code(known: Known) -> str:
    steps, made = known.prepared, known.lineage
    code = [f"{name} ({address[:12]})" for name, address in made.code.items() if name.partition(": ")[0] in steps]
    commit = f", commit {made.commit}" if made.commit else ""
    return f"{', '.join(code)}{commit}" if code else ""


def _uses_so_far(known: Known) -> str:
    return f"Version {known.version.number} of the model {known.version.group} was trained on it."


def _old_versions(known: Known) -> str:
    told = [
        f"{name}: S3 keeps it as version {item.version}" for name, item in known.lineage.data.items() if item.version
    ]
    return "; ".join(told)


_SEEN: Mapping[str, Callable[[Known], str]] = {
    "count": _count,
    "columns": _columns,
    "missing": _missing,
    "splits": _splits,
    "sources": _sources,
    "timeframe": _timeframe,
    "preparation": _preparation,
    "raw": _raw,
    "preparation_code": _preparation_code,
    "uses_so_far": _uses_so_far,
    "old_versions": _old_versions,
}


def _each(told: Iterator[tuple[DataSet, str]]) -> str:
    """What is told of one needs no name."""
    listed = [*told]
    several = len({item.name for item, _ in listed}) > 1
    return "\n".join(f"{item.name}: {text}" if several else text for item, text in listed)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
