"""A reason of many lines, told in one."""

from __future__ import annotations


def in_one_line(failure: str) -> str:
    """Where a reason quotes the end of a log, the last line of that says most.

    >>> in_one_line("exit code 1: Traceback (most recent call last):\\n  …\\nKeyError: 'x'")
    "exit code 1: KeyError: 'x'"
    """
    lines = failure.splitlines()
    if len(lines) < 2:
        return failure
    kind, colon, _ = lines[0].partition(": ")
    return f"{kind}{colon}{lines[-1]}" if colon else lines[0]
