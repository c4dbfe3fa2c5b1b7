"""``mlops local``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, table, talk
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from mlops.account.local.upkeep.pruning import Pruning


@click.group(cls=Group)
def command() -> None:
    """The local account on this disk: put, prune."""


@command.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("uri")
@options.as_json
def put(source: Path, uri: str, format_: str) -> None:
    """Put the file or folder SOURCE at the S3 URI of the local account, where steps that run here find it.

    What lies there under the same names is replaced. A URI that ends with a slash keeps a file's name.
    """
    from mlops.use_cases import local_data

    done = local_data.put(source, uri)
    if format_ == "json":
        print_json({"bytes": done.bytes, "objects": list(done.uris)})
        return
    shown = done.uris[0] if len(done.uris) == 1 else f"{len(done.uris)} objects below {uri}"
    talk(f"put {_readable(done.bytes)}: {shown}")


@command.command()
@click.option(
    "--keep", type=click.IntRange(min=0), default=10, show_default=True, help="Newest executions of each pipeline."
)
@click.option("--older-than", "days", type=click.FloatRange(min=0), metavar="DAYS", help="Only older ones.")
@asking.yes
@options.as_json
def prune(keep: int, days: float | None, yes: bool, format_: str) -> None:
    """Forget old executions: their steps, logs and objects, definitions and uploads that nothing needs any more.

    Registered versions, models that endpoints use, executions that run, and all that these need stay.
    """
    from mlops.use_cases import local_account

    older, consent = None if days is None else timedelta(days=days), asking.consent(yes)
    found = local_account.prune(keep, older, doing=yes)
    _tell(found, format_, done=yes)
    if yes or format_ == "json" or not (found.executions or found.assets or found.left_over or found.versions):
        return
    if consent.ask is not None and consent.ask("Remove this?"):
        _tell(local_account.prune(keep, older, doing=True), format_, done=True)
    else:
        talk("nothing was removed; --yes removes it")


def _tell(found: Pruning, format_: str, *, done: bool) -> None:
    objects = sum(len(old.objects) for old in found.executions) + len(found.assets)
    if format_ == "json":
        print_json(
            {
                "done": done,
                "bytes": found.bytes,
                "executions": [old.id for old in found.executions],
                "objects": objects,
                "versions": [{"pipeline": pipeline, "version": number} for pipeline, number in found.versions],
                "assets": [f"s3://{item.bucket}/{item.key}" for item in found.assets],
                "left_over": [str(path) for path in found.left_over],
            }
        )
        return
    if found.executions:
        table(
            ("EXECUTION", "PIPELINE", "STATUS", "STARTED", "OBJECTS", "BYTES"),
            [
                (old.id, old.pipeline, old.status, old.created[:19], str(len(old.objects)), str(old.bytes))
                for old in found.executions
            ],
        )
    verb = "freed" if done else "would free"
    click.echo(
        f"{verb} {_readable(found.bytes)}: "
        f"{counted(len(found.executions), 'execution')}, {counted(objects, 'object')}, "
        f"{counted(len(found.versions), 'definition')}, {len(found.left_over)} left-over files and folders"
    )


def _readable(size: int) -> str:
    """
    >>> [_readable(size) for size in (0, 999, 12_345_678)]
    ['0 B', '999 B', '12.3 MB']
    """
    number, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
