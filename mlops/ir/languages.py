"""Which language a script is in, by its name or its first line, and what can run it: writing commands and judging them
go by the same."""

from __future__ import annotations

import re
from posixpath import basename, splitext

_SCRIPTS = {
    ".py": "Python", ".sh": "shell", ".bash": "shell", ".R": "R", ".r": "R", ".jl": "Julia", ".js": "JavaScript",
    ".pl": "Perl", ".rb": "Ruby", ".jar": "Java", ".java": "Java", ".ipynb": "a notebook", ".sql": "SQL",
    ".hql": "SQL", ".scala": "Scala",
}  # fmt: skip
_PROGRAMS = (
    (re.compile(r"(python|pypy)(\d+(\.\d+)?)?|torchrun|deepspeed|ipython"), "Python"),
    (re.compile(r"(ba|z|da|k|a)?sh"), "shell"),
    (re.compile(r"Rscript|R|littler"), "R"),
    (re.compile(r"julia"), "Julia"),
    (re.compile(r"node(js)?"), "JavaScript"),
    (re.compile(r"perl"), "Perl"),
    (re.compile(r"ruby"), "Ruby"),
    (re.compile(r"java"), "Java"),
)
_READ = ("a notebook", "SQL", "Scala")
"""Nothing starts them by itself: a script or a service reads them."""
_STARTS = {"Python": "python3", "shell": "/bin/bash", "R": "Rscript", "Julia": "julia", "JavaScript": "node"}


def language_of(script: str) -> str | None:
    """By the suffix of its name.

    >>> language_of("code/prepare.py"), language_of("run.sh"), language_of("data.csv")
    ('Python', 'shell', None)
    """
    return _SCRIPTS.get(splitext(script)[1])


def language_run_by(program: str) -> str | None:
    """What a program takes; None where it is none that runs scripts.

    >>> language_run_by("/usr/bin/python3.11"), language_run_by("bash"), language_run_by("smspark-submit")
    ('Python', 'shell', None)
    """
    name = basename(program)
    return next((language for pattern, language in _PROGRAMS if pattern.fullmatch(name)), None)


def language_of_first_line(line: str) -> str | None:
    """
    >>> language_of_first_line("#!/usr/bin/env python3"), language_of_first_line("#!/bin/bash -e")
    ('Python', 'shell')
    """
    if not line.startswith("#!"):
        return None
    words = line[2:].split()
    if words and basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-")]
    return language_run_by(words[0]) if words else None


def is_read(script: str) -> bool:
    """Whether it is given to a program that reads it, rather than started.

    >>> is_read("features.sql"), is_read("go.sh")
    (True, False)
    """
    return language_of(script) in _READ


def starter(script: str) -> str:
    """The program that starts it; Python's where the name does not tell.

    >>> starter("prepare.py"), starter("go.sh"), starter("fit.R")
    ('python3', '/bin/bash', 'Rscript')
    """
    return _STARTS.get(language_of(script) or "Python", "python3")
