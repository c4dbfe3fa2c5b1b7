"""What of the findings on one pipeline file is told, and where: the author's word, his allow comments, the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops.check.allow import MARK, allowances, idle, without_allowed
from mlops.check.author_places import AuthorPlaces
from mlops.check.python_source import PythonSource
from mlops.check.selection import Selection
from mlops.ir import Checked, Finding, Where


def told_of_file(
    file: Path, findings: Sequence[Finding], pipelines: Sequence[Checked], selection: Selection, *, whole: bool
) -> tuple[Mapping[Finding, Finding], tuple[Finding, ...]]:
    """Each finding that is told, as it is told; and those about allow comments.

    Unless the ``whole`` file was looked at, a comment that nothing needed may be needed elsewhere."""
    sources = _sources(file, (*findings, *(item for checked in pipelines for item in checked.findings)))
    places: dict[Finding, Where] = {}
    for definition, items in ((None, findings), *((checked.definition, checked.findings) for checked in pipelines)):
        if not items:
            continue
        author = AuthorPlaces(definition)
        for item in items:
            source = sources.get(item.where.file or "")
            if item not in places:
                places[item] = author.place(item, source) if source else item.where
    left: list[Finding] = list(places)
    comments: list[Finding] = []
    for name, source in sources.items():
        allows, wrong = allowances(source, name)
        comments.extend(wrong)
        if not allows:
            continue
        lines = {item: _lines(item, where, source) for item, where in places.items() if item.where.file == name}
        left, used = without_allowed(left, lines, allows)
        if whole and name == str(file):
            comments.extend(idle(allow, name) for allow in allows if allow not in used and selection.hears(allow.code))
    chosen: dict[Finding, Finding] = {}
    for item in left:
        for kept in selection.chosen((item,)):
            chosen[item] = replace(kept, where=places[item])
    return chosen, selection.chosen(comments)


def _sources(file: Path, findings: Iterable[Finding]) -> Mapping[str, PythonSource]:
    """The pipeline file where it holds allow comments, and every Python file that a finding stands in."""
    names = dict.fromkeys(item.where.file for item in findings if (item.where.file or "").endswith(".py"))
    sources: dict[str, PythonSource] = {}
    for name in (str(file), *names):
        if name is None or name in sources:
            continue
        source = PythonSource.of(Path(name))
        if source is not None and (name in names or MARK in source.text):
            sources[name] = source
    return sources


def _lines(finding: Finding, place: Where, source: PythonSource) -> tuple[int, ...]:
    """Where a comment may speak of it: its value's line, its step's, and the first line of that statement."""
    step = finding.where.line or 0
    return (place.line or 0, step, source.first_line(step))
