"""What a notebook does beside Python while it is composed: files are written and folders made where nobody else sees
it, installing and asking AWS is left out and told, pictures are not drawn."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops.compose.answers import Answers, Asked
from mlops.compose.author_frames import author_line
from mlops.compose.stand_ins import fetched, write_stand_in

_INSTALLING = re.compile(
    r"(?:sudo\s+)?(?:-?\S*python\S*\s+-m\s+|\{sys\.executable\}\s+-m\s+)?"
    r"(?:pip3?|uv|conda|mamba|apt(?:-get)?|yum|npm|brew|poetry|pipenv)\b"
)
_ASKING = re.compile(
    r"(?:sudo\s+)?(?:aws|curl|wget|git\s+(?:clone|pull|push|fetch)|docker|ssh|scp|gsutil|kaggle|huggingface-cli)\b"
)
_SHELLS = ("bash", "sh", "!", "script", "sx", "system")


def names_of_a_notebook(answers: Answers) -> dict[str, Any]:
    """What a kernel puts into the names of a notebook, and what stands for its magics."""
    notebook = _Notebook(answers)
    return {
        "__notebook__": notebook.magic,
        "display": _nothing,
        "get_ipython": lambda: notebook.shell,
        "In": [],
        "Out": {},
    }


def without_ipython() -> None:
    """A machine that composes needs no IPython; what a notebook imports of it draws nothing."""
    import importlib.util

    if importlib.util.find_spec("IPython") is not None:
        return
    for name in ("IPython", "IPython.display", "IPython.core", "IPython.core.display", "IPython.core.magic"):
        module = types.ModuleType(name)
        module.__getattr__ = lambda wanted: _nothing  # type: ignore[method-assign]
        module.__path__ = []
        sys.modules[name] = module


def left_out(command: str) -> bool:
    """Installs something, or asks somebody else: neither can be done, and neither must fail."""
    return any(pattern.match(command.strip()) for pattern in (_INSTALLING, _ASKING))


def leave_out(command: str, answers: Answers) -> None:
    """It is told, and has gone well."""
    answers.changes.append(Asked("shell", command, "", author_line(answers.order)))
    found = fetched(command)
    if found is not None:
        write_stand_in(*found)


def _nothing(*arguments: object, **more: object) -> None:
    return None


class _Notebook:
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.shell = types.SimpleNamespace(
            run_line_magic=lambda name, line="": self.magic("line", name, line, ""),
            magic=lambda line: self.magic("line", *_halves(line), ""),
            run_cell_magic=lambda name, line, cell: self.magic("cell", name, line, cell),
            system=lambda line: self.magic("shell", "", line, ""),
            getoutput=lambda line: self.magic("shell", "", line, ""),
            set_next_input=_nothing,
            kernel=types.SimpleNamespace(do_shutdown=_nothing),
            user_ns={},
        )

    def magic(self, kind: str, name: str, rest: str, body: str) -> Any:
        if kind == "shell":
            return self._shell(self._filled(rest))
        if kind == "cell":
            return self._cell(name, rest, body)
        done: Mapping[str, Callable[[str], Any]] = {
            "cd": self._cd,
            "pwd": lambda _: str(Path.cwd()),
            "env": self._env,
            "set_env": self._env,
            "mkdir": lambda line: self._shell(f"mkdir {line}"),
            "sx": self._shell,
            "system": self._shell,
            "run": self._run,
        }
        if name in done:
            return done[name](self._filled(rest))
        if left_out(f"{name} {rest}"):
            self._told(f"{name} {rest}")
        return None

    def _cell(self, name: str, rest: str, body: str) -> Any:
        if name in ("writefile", "file"):
            words = shlex.split(self._filled(rest))
            path = Path(words[-1]).expanduser()
            with path.open("a" if "-a" in words[:-1] or "--append" in words[:-1] else "w", encoding="utf-8") as file:
                file.write(body)
        elif name in _SHELLS:
            return self._shell(body)
        elif name == "capture":
            pass
        return None

    def _shell(self, command: str) -> list[str]:
        """What it prints, as a kernel gives it; where it fails a notebook goes on."""
        left = [part for part in re.split(r"&&|\|\||;|\n", command) if left_out(part)]
        if left:
            for part in left:
                self._told(part.strip())
            return []
        try:
            done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        except OSError as error:
            print(error, file=sys.stderr)
            return []
        print(done.stdout, done.stderr, sep="", end="", file=sys.stderr)
        return done.stdout.splitlines()

    def _cd(self, line: str) -> None:
        os.chdir(Path(line.strip("\"' ") or "~").expanduser())

    def _env(self, line: str) -> Any:
        name, equals, value = line.partition("=")
        if not equals:
            name, _, value = line.partition(" ")
        if not value:
            return os.environ.get(name.strip(), "")
        os.environ[name.strip()] = value.strip()
        return None

    def _run(self, line: str) -> None:
        import runpy

        words = shlex.split(line)
        files = [word for word in words if word.endswith(".py")]
        if files:
            self._names().update(runpy.run_path(files[0], run_name="__main__"))

    def _filled(self, line: str) -> str:
        """``{name}`` and ``$name`` are the notebook's variables."""
        names = self._names()

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return str(names[name]) if name in names else found[0]

        return re.sub(r"\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)", value, line)

    def _names(self) -> dict[str, Any]:
        from mlops.declare.load import MODULE

        return sys.modules[MODULE].__dict__

    def _told(self, command: str) -> None:
        leave_out(command, self._answers)


def _halves(line: str) -> tuple[str, str]:
    name, _, rest = line.lstrip("%").partition(" ")
    return name, rest
