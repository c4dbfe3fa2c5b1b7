"""``mlops local images``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.group import Group
from mlops.cli.printing import is_animated, print_json, printable, table, talk
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from rich.status import Status

    from mlops.use_cases.local_images import Made, Shown

_LONGEST = 100


@click.group(cls=Group)
def images() -> None:
    """What stands for the images of steps on this machine: list, build, remove."""


@images.command("list")
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.as_json
def list_(targets: tuple[str, ...], format_: str) -> None:
    """How the images run here that the steps of TARGETS name, or those of all pipelines of the project."""
    from mlops.use_cases import local_images

    found = local_images.listed(targets)
    if format_ == "json":
        print_json([_plain(item) for item in found])
        return
    rows = [(item.image or "", " ".join(item.steps), item.runs_with, "; ".join(item.differs)) for item in found]
    table(("IMAGE", "STEPS", "RUNS WITH", "NOT AS THERE"), rows)
    if any(item.how == "environment" and not item.is_built for item in found):
        talk("`mlops local images build` makes the environments that are not built")


@images.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.as_json
def build(targets: tuple[str, ...], format_: str) -> None:
    """Build a virtual environment for each image whose packages, or whose requirements.txt, this Python does not meet.

    pip installs them as it is set up on this machine. Runs take them from then on. Of the project's pipelines without
    TARGETS, and of what runs have wanted.
    """
    from mlops.use_cases import local_images

    made: list[Made] = []
    with _progress() as progress:
        for item in local_images.build_all(targets, progress.began, progress.tell, progress.line):
            progress.ended(item)
            made.append(item)
    if format_ == "json":
        print_json([_made(item) for item in made])
    elif not made:
        talk("nothing is to be built: this Python, or what is built already, meets all of them")
    if any(item.failure is not None for item in made):
        raise click.exceptions.Exit(1)


@images.command()
@click.argument("images", nargs=-1, metavar="[ID...]")
@click.option("--all", "every", is_flag=True, help="All that are there.")
@options.as_json
def remove(images: tuple[str, ...], every: bool, format_: str) -> None:
    """Remove the environments with these IDs; steps run with this Python again."""
    from mlops.use_cases import local_images

    gone = local_images.remove(images, every=every)
    if format_ == "json":
        print_json({"removed": list(gone)})
    else:
        talk(f"removed {counted(len(gone), 'environment')}")


class _Told:
    """Each stage a line."""

    def say(self, text: str) -> None:
        talk(printable(text))

    def began(self, item: Shown) -> None:
        self.say(f"{item.id}: {item.need.title if item.need is not None else ''}")

    def tell(self, text: str) -> None:
        self.say(f"  {text}")

    def line(self, text: str) -> None:
        return None

    def ended(self, item: Made) -> None:
        if item.failure is not None:
            self.say(f"error: {item.failure.message}")
            self.say(f"  help: {item.failure.hint or ''}")
            return
        for text in item.told:
            self.say(f"  {text}")
        self.say(f"  built with Python {item.python}")


class _Shown(_Told):
    """And on a terminal, below them, the last line of pip."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def say(self, text: str) -> None:
        self._status.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        from rich.markup import escape

        self._status.update(escape(printable(text)[:_LONGEST]))


@contextmanager
def _progress() -> Iterator[_Told]:
    if not is_animated(sys.stderr):
        yield _Told()
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield _Shown(status)


def _plain(item: Shown) -> dict[str, object]:
    return {
        "image": item.image,
        "steps": list(item.steps),
        "how": item.how,
        "runs_with": item.runs_with,
        "differs": list(item.differs),
        "environment": item.id,
        "built": item.is_built,
        "title": item.need.title if item.need is not None else None,
    }


def _made(item: Made) -> dict[str, object]:
    return {
        "environment": item.id,
        "title": item.title,
        "folder": str(item.folder) if item.folder is not None else None,
        "python": item.python or None,
        "differs": list(item.told),
        "failure": item.failure.message if item.failure is not None else None,
    }
