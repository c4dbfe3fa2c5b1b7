"""What a table may not say of where people are told, and a type alone does not see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def wrong_file(file: str, root: Path) -> str | None:
    """Why nothing can be appended to ``file``; relative to the project's ``root``.

    >>> wrong_file("told.jsonl", Path("/nowhere")), wrong_file("", Path("/nowhere"))
    (None, 'give the name of a file')
    """
    if not file.strip():
        return "give the name of a file"
    if "\0" in file:
        return "a file's name cannot hold the character NUL"
    if file.endswith(("/", "/.", "/..")) or file in (".", "..") or (root / file).is_dir():
        return "that is a folder; give a file in it"
    return None


def wrong_command(words: Sequence[str]) -> str | None:
    """
    >>> wrong_command(["./tell.py", "--all"]), wrong_command([])
    (None, 'give a list of words, for example ["./tell.py", "--all"]; no shell reads them')
    """
    if not words or not words[0]:
        return 'give a list of words, for example ["./tell.py", "--all"]; no shell reads them'
    if any("\0" in word for word in words):
        return "a word cannot hold the character NUL"
    return None
