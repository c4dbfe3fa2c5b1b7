"""What is told of a version to those who did not train it: its card, a datasheet of its data, release notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from mlops.deploy.cards import datasheet as datasheets
from mlops.deploy.cards import notes as release_notes
from mlops.deploy.cards import page
from mlops.deploy.cards.completeness import missing
from mlops.deploy.cards.content import content
from mlops.deploy.cards.facts import Known, see
from mlops.deploy.models import registry
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.ir.sheet import Sheet
from mlops.project import git
from mlops.use_cases.connecting import Where, connect_here

_MOST_COMMITS = 200
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Paper:
    """``told`` is for programs, ``page`` for people; ``missing`` are names of what nobody said."""

    told: Mapping[str, object]
    page: Sheet
    missing: Sequence[str] = ()


def card(environment: Where, group: str, number: int | None = None, *, most: float | None = None) -> Paper:
    """The newest version where no number is given; ``told`` is the content of a card as SageMaker has it. At most so
    many megabytes are read of each data set."""
    known = _known(environment, group, number, most)
    found = content(known)
    return Paper(found, page.card(known), missing(found))


def datasheet(environment: Where, group: str, number: int | None = None, *, most: float | None = None) -> Paper:
    known = _known(environment, group, number, most)
    found = datasheets.answered(known)
    gaps = [item.question.name for item in found if item.source is None]
    told = {
        "group": group,
        "version": known.version.number,
        "answers": [
            {
                "section": item.question.section,
                "name": item.question.name,
                "question": item.question.text,
                "answer": item.text or None,
                "source": item.source,
            }
            for item in found
        ],
        "unanswered": gaps,
        "data": [asdict(item) for item in known.data],
    }
    return Paper(told, datasheets.page(known), gaps)


def notes(environment: Where, group: str, old: int, new: int, *, most: float | None = None) -> Paper:
    """What differs from the version ``old`` to the version ``new``."""
    before, after = (_known(environment, group, number, most) for number in (old, new))
    commits, why_not = _commits(before, after)
    found = release_notes.between(before, after, commits, why_not)
    told = {
        "group": group,
        "from": old,
        "to": new,
        "approval": after.version.approval,
        "changes": [asdict(item) for item in found.changes],
        "commits": [asdict(item) for item in found.commits],
        "commits_unknown": found.why_not,
        "verdicts": [asdict(item) for item in found.shifted],
        "happened": [asdict(item) for item in found.happened],
    }
    return Paper(told, release_notes.page(found))


def _known(environment: Where, group: str, number: int | None, most: float | None) -> Known:
    connected = connect_here(environment)
    found = registry.version(connected.account, group, number)
    if most is None:
        return see(connected.account, connected.environment, found, connected.root)
    return see(connected.account, connected.environment, found, connected.root, most=int(most * _MEGABYTE))


def _commits(before: Known, after: Known) -> tuple[Sequence[git.Logged], str | None]:
    """Of the repository that we are in, where it knows both."""
    old, new = before.lineage.commit, after.lineage.commit
    if not old and not new:
        return (), "No commit was recorded."
    if not old or not new:
        return (), f"Of version {(after if old else before).version.number} no commit was recorded."
    if old == new:
        return (), "Both were made from the same commit."
    try:
        found = git.between(Path.cwd(), old, new, _MOST_COMMITS)
    except UsageError as error:
        return (), hide_text(f"What lies between is not known here: {error.message}")
    return [git.Logged(**hide(asdict(item))) for item in found], None if found else "None of them touches this project."
