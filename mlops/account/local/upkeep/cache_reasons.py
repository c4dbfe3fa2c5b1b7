"""Why a step of an execution ran, or was served by an earlier result: what it depends on, then and now."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping

from mlops.account.local import step_records
from mlops.account.local.process.ports import object_place
from mlops.account.local.state import State
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.run.ports import CacheEntry, Part, StepRecord

_INPUT = re.compile(r"(?:ProcessingInputs|InputDataConfig)\[(\w[\w-]*)\]\..*(?:S3Uri|S3DataSource\.S3Uri)")
_CODE_ARCHIVES = ("sagemaker_submit_directory", "SAGEMAKER_SUBMIT_DIRECTORY")
_CODE_INPUTS = ("code", "sourcedir")
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """``source`` is the execution whose result served, None where the step ran; then ``reasons`` say why."""

    execution: str
    step: str
    source: str | None
    reasons: tuple[str, ...]


def explain(state: State, execution: str, step: str) -> Explanation:
    """``execution`` is an id. Raises UsageError where it did not come to the step."""
    record = step_records.of_step(state, execution, step)
    if record is None:
        rows = state.store.all("SELECT DISTINCT name FROM step WHERE execution = ? ORDER BY started", execution)
        known = ", ".join(row["name"] for row in rows) or "none"
        raise UsageError(f"execution {execution} started no step {step!r}; it started {known}")
    if record.cache_source is not None:
        return Explanation(execution, step, record.cache_source.rpartition("/")[2], ())
    return Explanation(execution, step, None, tuple(_reasons(state, execution, record)))


def _reasons(state: State, execution: str, record: StepRecord) -> Iterator[str]:
    entry = record.cache
    if entry is None or record.started is None:
        yield "nothing was noted about it: it failed before it could start, or an older mlops ran it"
        return
    if entry.note is not None:
        yield entry.note
    if entry.key is None:
        return
    row = state.store.one("SELECT pipeline FROM execution WHERE id = ?", execution)
    before = step_records.success_before(state, row["pipeline"], record.name, record.started) if row else None
    if before is None or before[1].cache is None:
        if entry.note is None:
            yield "there is no earlier success"
        return
    changes = [*_changes(state, execution, record.name, before[1].cache, entry)]
    yield from changes
    if not changes and entry.note is None:
        yield f"nothing changed since execution {before[0]}, but its result did not serve"


def _changes(state: State, execution: str, step: str, before: CacheEntry, now: CacheEntry) -> Iterator[str]:
    for name in sorted({*before.parts, *now.parts}):
        old, new = before.parts.get(name), now.parts.get(name)
        if old is not None and new is not None and old.digest == new.digest:
            continue
        if new is not None and new.uri is not None:
            yield _content_changed(state, execution, step, name, old, new)
        elif new is None:
            yield f"{name} is gone{_was(old)}"
        elif old is None:
            yield f"{name} is new{'' if new.shown is None else f': {new.shown}'}"
        elif old.shown is None or new.shown is None:
            yield f"{name} changed"
        else:
            yield f"{name} changed: {old.shown} -> {new.shown}"


def _was(old: Part | None) -> str:
    return "" if old is None or old.shown is None else f" (was {old.shown})"


def _content_changed(state: State, execution: str, step: str, name: str, old: Part | None, new: Part) -> str:
    found = _INPUT.fullmatch(name)
    if (found and found[1] in _CODE_INPUTS) or name.endswith(_CODE_ARCHIVES):
        what = f"code of {step}"
    else:
        what = f"input {found[1]}" if found else name
    if old is None:
        return f"{what} is new"
    files = _differing(_files(state, old), _files(state, new))
    named = f": {', '.join(files[:_MOST_NAMES])}{' and others' if len(files) > _MOST_NAMES else ''}" if files else ""
    return f"{what} changed{named}{_cause(state, execution, new.uri or '')}"


def _cause(state: State, execution: str, uri: str) -> str:
    """The step of the same execution whose output this is."""
    names = state.store.all("SELECT DISTINCT name FROM step WHERE execution = ?", execution)
    for row in names:
        record = step_records.of_step(state, execution, row["name"])
        if record is None or record.cache is None:
            continue
        if any(f"{uri.rstrip('/')}/".startswith(place) for place in record.cache.outputs):
            again = "ran again" if record.cache_source is None else "gave an earlier result"
            return f" (because {record.name} {again})"
    return ""


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _files(state: State, part: Part) -> Mapping[str, str]:
    """What the author calls files: those inside, where the content is one archive."""
    (name, *more) = part.files or ("",)
    if more or not name.endswith(".tar.gz") or part.uri is None:
        return part.files
    try:
        with state.objects.open(*object_place(part.uri)) as (_, raw), tarfile.open(fileobj=raw, mode="r:gz") as tar:
            found: dict[str, str] = {}
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is not None:
                    found[member.name.removeprefix("./")] = hashlib.sha256(file.read()).hexdigest()
            return found
    except (KeyError, tarfile.TarError, EOFError, zlib.error, OSError):
        return part.files  # replaced or removed since: then only the archive's own name can be told
