"""Files that a command writes where the user says."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli.printing import talk
from mlops.ir import Refusal


def put(text: str, output: str | None, name: str | None, *, force: bool) -> None:
    """To standard output, or to a file, of which is told that it has ``name``."""
    if output is None or output == "-":
        click.echo(text.encode(), nl=False)
    else:
        write_program(Path(output), text, force=force)
        talk(f"{name}: {output}")


def write_program(file: Path, text: str, *, force: bool) -> None:
    """What is written once and then edited by hand. Raises Refusal where a Python file holds something else and
    ``force`` does not allow to lose that; other forms are made again each time."""
    from mlops.project.files import write_text

    if not force and file.suffix == ".py" and file.is_file() and file.read_bytes() != text.encode():
        raise Refusal(f"{file} is there and holds something else", hint="name another file, or --force writes over it")
    write_text(file, text)
