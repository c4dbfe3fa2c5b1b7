"""What Git says of the working copy."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

_COMMIT = "# branch.oid "
LONGEST_SECONDS = 60.0
"""For one answer; of a repository of a million files it takes some."""


def changed_files(folder: Path, since: str) -> frozenset[Path]:
    """Absolute paths that differ between where ``since`` and this branch parted and the working copy: committed, not
    committed, new and removed; of a renamed file both names, of a submodule that differs all its files. Raises
    UsageError where Git cannot tell."""
    if not since or since.startswith("-"):
        raise UsageError(f"{since!r} is no commit")
    top = Path(_git(folder, "rev-parse", "--show-toplevel").removesuffix("\n"))
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{since}^{{commit}}", missing=f"there is no {since!r}")
    # Against the point of parting, so that what others merged meanwhile is not ours.
    base = _git(
        folder, "merge-base", commit.strip(), "HEAD", missing=f"{since} and this branch have no commit in common"
    ).strip()
    named = _git(top, "diff", "--name-only", "--no-renames", "-z", base, "--")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    changed = [top / name for name in (named + new).split("\0") if name]
    return frozenset(file for path in changed for file in (path, *_below(path)))


@dataclass(frozen=True, slots=True)
class Commit:
    """``dirty``: the working copy has files that differ from it, or that it does not know."""

    id: str
    dirty: bool


def head(folder: Path) -> Commit | None:
    """Where the working copy of ``folder`` stands; only what lies in that folder makes it dirty. None outside of any,
    and before the first commit."""
    try:
        told = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ".")
    except UsageError:
        return None
    lines = told.splitlines()
    found = next((line.removeprefix(_COMMIT) for line in lines if line.startswith(_COMMIT)), "")
    if not found or found == "(initial)":
        return None
    return Commit(found, any(not line.startswith("#") for line in lines))


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit as it is told of; ``at`` is when it was made, by ISO 8601."""

    id: str
    at: str
    author: str
    subject: str


def between(folder: Path, old: str, new: str, most: int) -> tuple[Logged, ...]:
    """Commits that ``new`` has and ``old`` lacks and that touch what lies in ``folder``, newest first, at most so many.
    Raises UsageError where Git does not know one of them."""
    if not all(re.fullmatch(r"[0-9a-f]{7,64}", commit) for commit in (old, new)):
        raise UsageError("these are no commits of Git")
    form = "%H%x1f%aI%x1f%an%x1f%s%x1e"
    told = _git(folder, "log", f"--format={form}", f"--max-count={most}", f"{old}..{new}", "--", ".")
    records = [record.strip("\n").split("\x1f") for record in told.split("\x1e")]
    return tuple(Logged(*record) for record in records if len(record) == 4)


def _below(path: Path) -> Iterator[Path]:
    """Git tells of a submodule, and of a repository inside that it does not know, only that something differs."""
    if path.is_dir() and not path.is_symlink():
        for folder, inside, files in os.walk(path):
            inside[:] = [name for name in inside if name != ".git"]
            yield from (Path(folder) / name for name in files if name != ".git")


def repository(folder: Path) -> Path | None:
    """The top of the working copy that holds ``folder``, which need not be there yet; None outside of any."""
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    try:
        return Path(_git(there, "rev-parse", "--show-toplevel").removesuffix("\n"))
    except UsageError:
        return None


def default_branch(folder: Path) -> str | None:
    """What ``origin`` said when it was cloned; None where nothing tells."""
    try:
        return _git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").strip().removeprefix("origin/")
    except UsageError:
        return None


def _git(folder: Path, *words: str, missing: str | None = None) -> str:
    """``missing`` is what it means that Git has no answer: then the history that is here may be cut short. A working
    copy may be on a disk that does not answer, or fetch what it lacks from a server that asks for a password."""
    command = ["git", "-C", str(folder), *words]
    try:
        # A file name may be any bytes.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            env=_environment(),
            timeout=LONGEST_SECONDS,
        )
    except FileNotFoundError:
        raise UsageError("Git is asked, which is not installed here") from None
    except subprocess.TimeoutExpired:
        said = f"Git said nothing for {LONGEST_SECONDS:g} s: git {words[0]} in {folder}"
        raise UsageError(said, hint="see what it waits for") from None
    if done.returncode == 0:
        return done.stdout
    said = " ".join(done.stderr.encode(errors="surrogateescape").decode(errors="replace").split())
    if missing is not None:
        said = f": {said}" if said else ""
        raise UsageError(f"Git says {missing}{said}", hint="in CI, fetch enough history: `fetch-depth: 0`")
    raise UsageError(f"Git says: {said or f'git {words[0]} ended with {done.returncode}'}")


def _environment() -> dict[str, str]:
    """A hook has the repository that it runs for in its environment; ours is that of ``folder``."""
    mine = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    return {**mine, "GIT_TERMINAL_PROMPT": "0"}
