"""A card for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.deploy.cards.columns import Column
from mlops.deploy.cards.completeness import USUAL, missing
from mlops.deploy.cards.content import content
from mlops.deploy.cards.data import DataSet
from mlops.deploy.cards.facts import Known
from mlops.deploy.models.lineage import told as told_lineage
from mlops.ir.counted import counted
from mlops.ir.sheet import Block, Facts, Gap, Heading, Paragraph, Section, Sheet, Table
from mlops.knowledge.model_cards import fields
from mlops.project.root import CONFIGURATION

_MOST_ROWS = 60
"""Of one table. The rest is in the report, and in the card as JSON."""


def card(known: Known) -> Sheet:
    found = content(known)
    group, version = known.version.group, known.version
    sections = (
        Section("Model", [*_model(known, found)]),
        Section("Intended use", [*_declared(known, found, "intended_uses")]),
        Section("Business", [*_declared(known, found, "business_details")]),
        Section("Training", [*_training(known, found)]),
        Section("Training data", [*_data(known)]),
        Section("Evaluation", [*_evaluation(known)]),
        Section("Verdicts", [*_verdicts(known)]),
        Section("Considerations", [*_considerations(known, found)]),
        Section("Origin", [*_origin(known)]),
        Section("History", [*_history(known)]),
    )
    gaps = missing(found)
    badges = [version.approval, f"card: {known.status}", f"{counted(len(gaps), 'gap')}" if gaps else "complete"]
    risk = (found.get("intended_uses") or {}).get("risk_rating")
    if risk:
        badges.insert(1, f"risk: {risk}")
    registered = f"registered {version.created.astimezone(UTC):%Y-%m-%d %H:%M}Z" if version.created is not None else ""
    shown = [section for section in sections if section.blocks]
    return Sheet(f"{group}, version {version.number}", registered, shown, [item for item in badges if item])


def _model(known: Known, found: Mapping[str, Any]) -> Iterator[Block]:
    overview = found.get("model_overview") or {}
    if overview.get("model_description"):
        yield Paragraph(str(overview["model_description"]))
    names = ("model_owner", "model_creator", "problem_type", "algorithm_type")
    rows = [(_label(name), str(overview[name])) for name in names if overview.get(name)]
    rows += [("Image", image) for image in known.images]
    rows += [("Artefact", uri) for uri in known.artefacts]
    yield Facts([*rows, ("ARN", known.version.arn)])
    yield from _gaps(known, found, ("model_description", "model_owner"))


def _declared(known: Known, found: Mapping[str, Any], section: str) -> Iterator[Block]:
    told = found.get(section) or {}
    names = [name for name, item in fields().items() if item.section == section]
    for name in names:
        if told.get(name):
            yield Heading(_label(name))
            yield Paragraph(str(told[name]))
    yield from _gaps(known, found, names)


def _training(known: Known, found: Mapping[str, Any]) -> Iterator[Block]:
    told = found.get("training_details") or {}
    if told.get("training_observations"):
        yield Paragraph(str(told["training_observations"]))
    for job in known.trained:
        yield Heading(f"Step {job.step}")
        yield Facts([(name, value) for name, value in (("Job", job.arn), ("Image", job.image or "")) if value])
        if job.hyperparameters:
            yield Table(("Hyperparameter", "Value"), [*_some(list(job.hyperparameters.items()))])
        if job.metrics:
            rows = [(name, number(value)) for name, value in job.metrics.items()]
            yield Table(("Metric at the end", "Value"), [*_some(rows)], frozenset({1}))
    for sentence in known.unknown:
        yield Gap(sentence)


def _data(known: Known) -> Iterator[Block]:
    if not known.data:
        yield Gap("its lineage names no data that it was trained on")
    for item in known.data:
        yield from data_set(item)


def data_set(item: DataSet) -> Iterator[Block]:
    found = item.statistics
    yield Heading(item.name)
    rows = [("Place", item.uri), ("Files", f"{item.files:,}")]
    if item.size is not None:
        rows.append(("Size", _size(item.size)))
    if found is not None:
        rows.append(("Rows", f"{found.rows:,}{'' if item.whole else ', of the part that was read'}"))
        rows.append(("Columns", f"{found.width:,}{'' if found.headed else ', without names in the data'}"))
        if found.odd:
            rows.append(("Odd rows", f"{found.odd:,} have another number of values"))
    yield Facts(rows)
    if item.unknown:
        yield (Gap if found is None else Paragraph)(f"{item.name}: {item.unknown}")
    if found is None:
        return
    yield Table(
        ("Column", "Kind", "Missing", "Distinct", "Least", "Most", "Mean"),
        [_column(column) for column in found.columns[:_MOST_ROWS]],
        frozenset({2, 3, 4, 5, 6}),
    )
    left = found.width - min(len(found.columns), _MOST_ROWS)
    if left > 0:
        yield Paragraph(f"{counted(left, 'further column')}.")


def _column(column: Column) -> tuple[str, ...]:
    share = f" ({100 * column.missing / (column.present + column.missing):.1f} %)" if column.missing else ""
    many = "more than 1,000" if column.distinct is None and column.kind != "nested" else f"{column.distinct or 0:,}"
    if column.kind in ("nested", "empty") or column.hidden:
        many = ""
    return (
        column.name,
        column.kind,
        f"{column.missing:,}{share}",
        many,
        column.low or "",
        column.high or "",
        number(column.mean) if column.mean is not None else "",
    )


def _evaluation(known: Known) -> Iterator[Block]:
    told = known.said.get("evaluation_details")
    for item in told if isinstance(told, list) else ():
        if isinstance(item, Mapping) and item.get("evaluation_observation"):
            yield Heading(str(item.get("name") or "Observation"))
            yield Paragraph(str(item["evaluation_observation"]))
    for report in known.reports:
        yield Heading(report.name)
        yield Facts([("Report", report.uri)])
        rows = [(name, number(value)) for name, value in report.numbers.items()]
        if rows:
            yield Table(("Number", "Value"), [*_some(rows)], frozenset({1}))
        else:
            yield Gap(f"{report.name}: no number can be read there")
    if not known.reports and not told:
        yield Gap("the version carries no report of its quality, which the step that registers it takes as metrics")


def _verdicts(known: Known) -> Iterator[Block]:
    rows = [
        (item.endpoint, moment(item.at), item.stage, str(item.looks), item.standing, item.why) for item in known.shifted
    ]
    if rows:
        yield Table(("Endpoint", "Began", "Stage", "Looks", "Verdict", "Why"), rows, frozenset({3}))


def _considerations(known: Known, found: Mapping[str, Any]) -> Iterator[Block]:
    yield from _declared(known, found, "additional_information")
    own = known.said.get("additional_information")
    details = own.get("custom_details") if isinstance(own, Mapping) else None
    if isinstance(details, Mapping) and details:
        yield Facts([(str(name), str(value)) for name, value in details.items()])


def _origin(known: Known) -> Iterator[Block]:
    rows = [*told_lineage(known.lineage)]
    if rows:
        yield Facts(rows)
    if known.lineage.at is None:
        yield Paragraph("Nothing was recorded when it was registered: this is what is seen now.")


def _history(known: Known) -> Iterator[Block]:
    rows = [
        (moment(item.at), item.status, item.endpoint or "", item.by or "somebody unknown", item.reason or "")
        for item in known.happened
    ]
    if rows:
        yield Table(("At", "What", "Endpoint", "By", "Reason"), rows)


def _gaps(known: Known, found: Mapping[str, Any], names: Sequence[str]) -> Iterator[Block]:
    absent = missing(found, [name for name in names if name in USUAL])
    if absent:
        where = f"[cards.{known.version.group}] of {CONFIGURATION}"
        yield Gap(f"{', '.join(absent)}: nobody has said so, neither in {where} nor with the version")


def _some(rows: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield from rows[:_MOST_ROWS]
    if len(rows) > _MOST_ROWS:
        yield (f"and {len(rows) - _MOST_ROWS} more", "")


def _label(name: str) -> str:
    """
    >>> _label("purpose_of_model")
    'Purpose of model'
    """
    return name.replace("_", " ").capitalize()


def number(value: float) -> str:
    """
    >>> number(3), number(0.9210526315789473), number(float("nan")), number(1234567.0)
    ('3', '0.921053', 'nan', '1,234,567')
    """
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def moment(at: str) -> str:
    """A time of a record, for people.

    >>> moment("2026-11-29T04:05:25+00:00"), moment("2026-11-29T05:05:25+01:00"), moment("")
    ('2026-11-29 04:05:25Z', '2026-11-29 04:05:25Z', '')
    """
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if found.tzinfo else at


def _size(count: int) -> str:
    """
    >>> _size(812), _size(2_400_000)
    ('812 bytes', '2.4 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
