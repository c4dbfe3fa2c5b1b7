"""Files that a command writes where the user says."""

from __future__ import annotations

from pathlib import Path

from mlops.ir import Refusal


def write_program(file: Path, text: str, *, force: bool) -> None:
    """What is written once and then edited by hand. Raises Refusal where a Python file holds something else and
    ``force`` does not allow to lose that; other forms are made again each time."""
    from mlops.project.files import write_text

    if not force and file.suffix == ".py" and file.is_file() and file.read_bytes() != text.encode():
        raise Refusal(f"{file} is there and holds something else", hint="name another file, or --force writes over it")
    write_text(file, text)
