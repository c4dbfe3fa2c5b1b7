"""What Git says of the working copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mlops.ir import UsageError


def changed_files(folder: Path, since: str) -> frozenset[Path]:
    """Absolute paths that differ between where ``since`` and this branch parted and the working copy: committed, not
    committed, new and removed. Raises UsageError where Git cannot tell."""
    if since.startswith("-"):
        raise UsageError(f"{since!r} is no commit")
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    # Against the point of parting, so that what others merged meanwhile is not ours.
    base = _git(folder, "merge-base", since, "HEAD").strip()
    named = _git(top, "diff", "--name-only", "--no-renames", "-z", base, "--")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(top / name for name in (named + new).split("\0") if name)


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("--changed-since asks Git, which is not installed here") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"git {words[0]} ended with {done.returncode}"
        raise UsageError(f"Git says: {said}", hint="in CI, fetch enough history: `fetch-depth: 0`")
    return done.stdout
