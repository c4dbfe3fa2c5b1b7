"""``mlops local``."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.local_images import images
from mlops.cli.printing import moment, print_json, table, talk
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from mlops.account.local.upkeep.pruning import Pruning


@click.group(cls=Group)
def command() -> None:
    """The local account on this disk: put, get, ls, mount, images, prune; and for any AWS client: serve, env, exec."""


command.add_command(images)


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
@click.argument("uri")
@click.argument("target", type=click.Path(path_type=Path))
@options.overwriting
@options.as_json
def get(uri: str, target: Path, force: bool, format_: str) -> None:
    """Get the object at the S3 URI of the local account as the file TARGET, or all below it as the folder TARGET."""
    from mlops.use_cases import local_data

    done = local_data.get(uri, target, force=force)
    if format_ == "json":
        print_json({"bytes": done.bytes, "files": list(map(str, done.files)), "there": list(map(str, done.there))})
        return
    shown = str(done.files[0]) if len(done.files) == 1 else f"{len(done.files)} files in {target}"
    same = f"; {counted(len(done.there), 'file')} the same already" if done.there else ""
    talk(f"got {_readable(done.bytes)}: {shown if done.files else 'nothing new'}{same}")


@command.command()
@click.argument("uri", required=False)
@options.as_json
def ls(uri: str | None, format_: str) -> None:
    """Objects of the local account whose S3 URI begins with URI; of all buckets without."""
    from mlops.use_cases import local_data

    found = local_data.listed(uri)
    if format_ == "json":
        print_json([{"uri": item.uri, "bytes": item.bytes, "modified": item.modified} for item in found])
        return
    table(("MODIFIED", "BYTES", "OBJECT"), [(moment(item.modified), str(item.bytes), item.uri) for item in found])


@command.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.argument("uri", required=False)
@click.option("--remove", metavar="URI", help="Take the mount at URI away, with the objects that it brought.")
@options.as_json
def mount(folder: Path | None, uri: str | None, remove: str | None, format_: str) -> None:
    """Have what lies in FOLDER below the S3 URI of the local account: copied now, and brought up to date before each
    execution. FOLDER itself is never written to. Without FOLDER: the mounts that there are.
    """
    from mlops.use_cases import local_data

    if (folder is None) != (uri is None) or (remove is not None and folder is not None):
        raise click.UsageError("give FOLDER and URI, or --remove URI, or nothing")
    if remove is not None:
        gone = local_data.unmount(remove)
        talk(f"{remove} is mounted no more; {counted(gone, 'object')} went with it")
    elif folder is not None and uri is not None:
        stored, removed = local_data.mount(folder, uri)
        talk(f"{folder} is mounted at {uri}: {counted(stored, 'object')} stored, {removed} taken away")
    if format_ == "json":
        print_json([{"uri": at, "folder": str(place)} for at, place in local_data.mounts().items()])
    elif folder is None and remove is None:
        table(("URI", "FOLDER"), [(at, str(place)) for at, place in local_data.mounts().items()])


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


@command.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Where it listens; 4577 without, or another where that is taken."
)
@click.option("--requests", is_flag=True, help="Tell each request, not only those that nobody answers.")
@click.option("--for", "seconds", type=options.Duration(), metavar="DURATION", help="End after so long.")
@asking.as_user
@options.as_json
def serve(port: int | None, requests: bool, seconds: float | None, user: str | None, format_: str) -> None:
    """Answer any AWS client on this machine as SageMaker, S3 and the other services that the local account has.

    Clients are led here by `eval "$(mlops local env)"`. Ctrl-C ends it.
    """
    from mlops.cli.listening import hear
    from mlops.cli.until_told import until_told
    from mlops.use_cases.local_server import serving

    with serving(port, hear, user=user, every=requests) as found, until_told() as ended:
        if format_ == "json":
            print_json({"url": found.url, "region": found.region, "process": found.process})
        else:
            click.echo(found.url)
            talk('`eval "$(mlops local env)"` leads clients of a shell here; Ctrl-C ends it')
        sys.stdout.flush()
        ended.wait(seconds)


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Of the server; that of this project which runs without.")
@click.option(
    "--format",
    "format_",
    type=options.Choice(["sh", "fish", "powershell", "json"]),
    default="sh",
    show_default=True,
    help="For which shell, or for programs.",
)
def env(port: int | None, format_: str) -> None:
    """Print what leads AWS clients to the server that `mlops local serve` has started here.

    Keys are dummies; what would lead elsewhere, or give real credentials away, is unset.
    """
    from mlops.use_cases.local_server import client_variables

    found = client_variables(port)
    if format_ == "json":
        print_json({"set": [{"name": name, "value": value} for name, value in found.set.items()], "unset": found.unset})
        return
    setting, unsetting = _SHELLS[format_]
    for name in found.unset:
        click.echo(unsetting.format(name=name))
    for name, value in found.set.items():
        click.echo(setting.format(name=name, value=_quoted(value, format_)))


_SHELLS = {
    "sh": ("export {name}={value}", "unset {name}"),
    "fish": ("set -gx {name} {value}", "set -e {name}"),
    "powershell": ("$env:{name} = {value}", "Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
}


def _quoted(value: str, shell: str) -> str:
    """
    >>> print(*(_quoted("it's", shell) for shell in _SHELLS))
    'it'"'"'s' 'it\\'s' 'it''s'
    """
    if shell == "sh":
        return shlex.quote(value)
    if shell == "fish":
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + value.replace("'", "''") + "'"


@command.command("exec", cls=options.WithCommand)
@click.option("--proxy", is_flag=True, help="Answer at AWS's own names too, by a proxy with a certificate of its own.")
@click.option("--requests", is_flag=True, help="Tell each request, not only those that nobody answers.")
@asking.as_user
def exec_(proxy: bool, requests: bool, user: str | None, words: tuple[str, ...]) -> None:
    """Run COMMAND with a server of its own and the variables that lead AWS clients to it.

    Ends with the command's exit code.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.local_server import run_with_server

    raise click.exceptions.Exit(run_with_server(words, hear, user=user, every=requests, proxy=proxy))


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
