"""Release notes: what differs between two versions of a group, for those who are to take the second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops.deploy.cards.data import DataSet
from mlops.deploy.cards.facts import Known, Shifted, hyperparameters
from mlops.deploy.cards.page import moment, number
from mlops.deploy.models.happened import Happened
from mlops.deploy.models.lineage import Content, Lineage
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.sheet import Block, Paragraph, Section, Sheet, Table
from mlops.knowledge.model_cards import fields
from mlops.project.git import Logged

_DIGITS = 12
"""Of a digest or a commit, for people."""


@dataclass(frozen=True, slots=True)
class Change:
    """``topic`` is of :data:`TOPICS`; ``old`` and ``new`` are None where there is none of that name."""

    topic: str
    name: str
    old: str | None
    new: str | None
    difference: float | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """``commits`` lie between the two, newest first; ``why_not`` says why they are not known."""

    old: Known
    new: Known
    changes: tuple[Change, ...]
    commits: tuple[Logged, ...] = ()
    why_not: str | None = None

    @property
    def happened(self) -> Sequence[Happened]:
        """To the new version."""
        return self.new.happened

    @property
    def shifted(self) -> Sequence[Shifted]:
        return self.new.shifted


TOPICS = ("metric", "data", "code", "image", "hyperparameter", "parameter", "seed", "model", "card")


def between(old: Known, new: Known, commits: Sequence[Logged] = (), why_not: str | None = None) -> Notes:
    found = tuple(change for change in _changes(old, new) if change.topic == "metric" or change.old != change.new)
    return Notes(old, new, found, tuple(commits), why_not)


def _changes(old: Known, new: Known) -> Iterator[Change]:
    yield from _numbers(_metrics(old), _metrics(new))
    yield from _data(old, new)
    for topic, before, after in (
        ("code", _code(old), _code(new)),
        ("image", old.lineage.images, new.lineage.images),
        ("hyperparameter", hyperparameters(old.trained), hyperparameters(new.trained)),
        ("parameter", old.lineage.parameters, new.lineage.parameters),
        ("seed", old.lineage.seeds, new.lineage.seeds),
        ("model", _artefacts(old.lineage), _artefacts(new.lineage)),
        ("card", _said(old), _said(new)),
    ):
        for name in dict.fromkeys([*before, *after]):
            yield Change(topic, name, before.get(name), after.get(name))


def _numbers(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        difference = after - before if before is not None and after is not None else None
        if before != after:
            told = [None if value is None else number(value) for value in (before, after)]
            yield Change("metric", name, told[0], told[1], difference)


def _metrics(known: Known) -> Mapping[str, float]:
    found = {f"{job.step}: {name}": value for job in known.trained for name, value in job.metrics.items()}
    return {**found, **{name: value for report in known.reports for name, value in report.numbers.items()}}


def _data(old: Known, new: Known) -> Iterator[Change]:
    """Of what was trained on, and what that was made of. The same bytes at another place are the same data."""
    before, after = _contents(old), _contents(new)
    for name in dict.fromkeys([*before, *after]):
        first, second = before.get(name), after.get(name)
        if first is None or second is None or first[0].etag is None or first[0].etag != second[0].etag:
            yield Change("data", name, first and _told(*first), second and _told(*second))


def _contents(known: Known) -> Mapping[str, tuple[Content, DataSet | None]]:
    described = {item.name: item for item in known.data}
    found = {name: item for name, item in known.lineage.data.items() if name in described or name in known.raw}
    return {name: (item, described.get(name)) for name, item in found.items()}


def _code(known: Known) -> Mapping[str, str]:
    return {name: address[:_DIGITS] for name, address in known.lineage.code.items()}


def _told(content: Content, item: DataSet | None) -> str:
    if content.etag is None:
        return f"{content.uri} (nobody knows what lay there)"
    found = item.statistics if item is not None else None
    rows = f", {found.rows:,} rows, {counted(found.width, 'column')}" if found is not None else ""
    files = f", {content.files} files" if content.files != 1 else ""
    return f"{content.uri} ({content.etag[:_DIGITS]}{files}{rows}{', written later' if content.changed else ''})"


def _artefacts(lineage: Lineage) -> Mapping[str, str]:
    return {
        f"archive {at}": f"{item.uri} ({(item.sha256 or item.etag or 'not known')[:_DIGITS]})"
        for at, item in enumerate(lineage.artefacts, 1)
    }


def _said(known: Known) -> Mapping[str, str]:
    """What people say of it, where the versions themselves carry it; a table in mlops.toml is of all versions."""
    return {
        name: str(known.said[item.section][name])
        for name, item in fields().items()
        if isinstance(known.said.get(item.section), Mapping) and known.said[item.section].get(name)
    }


def page(notes: Notes) -> Sheet:
    old, new = notes.old.version, notes.new.version
    by_topic = {topic: [change for change in notes.changes if change.topic == topic] for topic in TOPICS}
    sections = [Section("In short", [*_in_short(notes, by_topic)])]
    for topic, title in _TITLES.items():
        changes = by_topic[topic]
        if changes:
            sections.append(Section(title, [_table(changes, old.number, new.number)]))
    sections.append(Section("Commits", [*_commits(notes)]))
    rows = [(item.endpoint, moment(item.at), item.stage, item.standing, item.why) for item in notes.shifted]
    if rows:
        sections.append(Section("Verdicts", [Table(("Endpoint", "Began", "Stage", "Verdict", "Why"), rows)]))
    events = [
        (moment(item.at), item.status, item.endpoint or "", item.by or "somebody unknown", item.reason or "")
        for item in notes.happened
    ]
    if events:
        sections.append(
            Section("Decisions and promotions", [Table(("At", "What", "Endpoint", "By", "Reason"), events)])
        )
    under = f"from version {old.number} to version {new.number}"
    badges = [word for word in (new.approval, "went back" if any(item.back for item in notes.shifted) else "") if word]
    return Sheet(f"Release notes of {new.group}", under, sections, badges)


_TITLES = {
    "metric": "Metrics",
    "data": "Data",
    "code": "Code",
    "image": "Images",
    "hyperparameter": "Hyperparameters",
    "parameter": "Parameters",
    "seed": "Seeds",
    "model": "Artefacts",
    "card": "Card",
}


def _in_short(notes: Notes, by_topic: Mapping[str, Sequence[Change]]) -> Iterator[Block]:
    told = [f"{title.lower()} ({len(by_topic[topic])})" for topic, title in _TITLES.items() if by_topic[topic]]
    yield Paragraph(f"What differs: {', '.join(told)}." if told else "Nothing that is known differs.")
    unknown = [
        f"Of version {known.version.number}: {text}." for known in (notes.old, notes.new) for text in known.unknown
    ]
    if unknown:
        yield Paragraph(" ".join(unknown))


def _table(changes: Sequence[Change], old: int, new: int) -> Table:
    named = [(change.name, change.old or "", change.new or "") for change in changes]
    if changes[0].topic != "metric":
        return Table(("", f"Version {old}", f"Version {new}"), named)
    rows = [
        (*row, f"{change.difference:+.3g}" if change.difference is not None else "")
        for row, change in zip(named, changes, strict=True)
    ]
    return Table(("", f"Version {old}", f"Version {new}", "Change"), rows, frozenset({1, 2, 3}))


def _commits(notes: Notes) -> Iterator[Block]:
    before, after = notes.old.lineage, notes.new.lineage
    if before.commit and after.commit:
        yield Paragraph(f"From {_commit(before)} to {_commit(after)}.")
    elif before.commit or after.commit:
        number = (notes.old if before.commit else notes.new).version.number
        yield Paragraph(f"Version {number} was made from {_commit(before if before.commit else after)}.")
    if notes.commits:
        rows = [(item.id[:_DIGITS], moment(item.at), item.author, item.subject) for item in notes.commits]
        yield Table(("Commit", "At", "By", "What"), rows)
    elif notes.why_not:
        yield Paragraph(notes.why_not)


def _commit(made: Lineage) -> str:
    return f"{(made.commit or '')[:_DIGITS]}{', with changes that are in no commit' if made.dirty else ''}"
