"""``mlops models``."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk

if TYPE_CHECKING:
    from mlops.deploy.endpoints.serving import Place
    from mlops.use_cases.cards import Paper
    from mlops.use_cases.models import Served
    from mlops.use_cases.standalone import Form, Wanted


_SAME = "the same"
_DIGEST = re.compile(r"(?<![\w:/.-])([0-9a-f]{12})[0-9a-f]{20,}(?![\w/.-])")
_BESIDE = 40
"""What is longer, as an address or a digest of SHA-256, stands below the other's and not beside it."""


@click.group(cls=Group)
def command() -> None:
    """The model registry: list, show, compare, approve, reject, lineage, history, card, datasheet, notes."""


@command.command("list")
@click.argument("group", required=False)
@options.environment
@options.as_json
def list_(group: str | None, environment: str, format_: str) -> None:
    """Versions of GROUP, or of every group; newest first."""
    from mlops.use_cases.models import in_short, listed

    found = listed(environment, group)
    if format_ == "json":
        print_json([in_short(item.version, item.serves) for item in found], whole_seconds=True)
        return
    table(
        ("GROUP", "VERSION", "APPROVAL", "CREATED", "SERVES"),
        [
            (
                item.version.group,
                str(item.version.number),
                item.version.approval,
                moment(item.version.created),
                _told_places(item.serves),
            )
            for item in found
        ],
    )


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@options.as_json
def show(group: str, number: int | None, environment: str, format_: str) -> None:
    """A VERSION of GROUP, the newest without: approval, who changed it when, description, metrics, artefacts."""
    from mlops.deploy.models.lineage import model_uri
    from mlops.use_cases import models

    shown = models.show(environment, group, number)
    if format_ == "json":
        print_json(models.as_dictionary(shown), whole_seconds=True)
        return
    found, details = shown.version, shown.described
    click.echo(f"{found.group} version {found.number}: {found.approval}")
    told = [
        ("reason", details.get("ApprovalDescription")),
        ("about", details.get("ModelPackageDescription")),
        ("created", _when(found.created, shown.created_by)),
        ("changed", _when(details.get("LastModifiedTime"), shown.changed_by)),
        ("arn", found.arn),
    ]
    for container in shown.containers:
        told += [("model", model_uri(container)), ("image", container.get("Image"))]
    told += [("metric", f"{name} = {value:g}") for name, value in shown.metrics.items()]
    told += [
        ("metadata", f"{name} = {value}") for name, value in (details.get("CustomerMetadataProperties") or {}).items()
    ]
    if shown.lineage is not None:
        execution, commit = shown.lineage.execution, shown.lineage.commit
        told += [
            ("made by", execution and f"execution {execution.rpartition('/')[2]}"),
            ("commit", commit and f"{commit}{', with changes that are in no commit' if shown.lineage.dirty else ''}"),
        ]
    told.append(("serves", _told_places(shown.serves)))
    for name, value in told:
        if value:
            click.echo(f"  {name:8}  {value}")


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@options.as_json
def lineage(group: str, number: int | None, environment: str, format_: str) -> None:
    """What VERSION of GROUP, the newest without, is made of: execution, commit, code, data, parameters, seeds; and
    where it serves."""
    from dataclasses import asdict

    from mlops.deploy.models.lineage import as_dictionary, told
    from mlops.use_cases import models

    found = models.lineage(environment, group, number)
    if format_ == "json":
        print_json(
            {
                **models.in_short(found.version),
                "lineage": as_dictionary(found.lineage),
                "serves": [asdict(item) for item in found.served],
            },
            whole_seconds=True,
        )
        return
    click.echo(f"{group} version {found.version.number}")
    table(("WHAT", "IS"), [*told(found.lineage), *_served(found.served)])
    if found.lineage.unknown is not None:
        talk(found.lineage.unknown)
    if found.lineage.at is None:
        talk("nothing was recorded when it was registered: this is what is seen now")


def _told_places(found: tuple[Place, ...] | None) -> str:
    return "not known: endpoints may not be asked" if found is None else ", ".join(map(str, found))


def _served(found: tuple[Served, ...]) -> list[tuple[str, str]]:
    return [
        (f"serves in {item.environment}", item.unknown or ", ".join(map(str, item.places)) or "nowhere")
        for item in found
    ]


@command.command()
@click.argument("group")
@click.argument("old", type=int, metavar="OLD")
@click.argument("new", type=int, metavar="NEW")
@options.environment
@options.as_json
def compare(group: str, old: int, new: int, environment: str, format_: str) -> None:
    """Two versions of GROUP side by side: approval, the numbers of their reports, what they are made of."""
    from mlops.deploy.models.lineage import model_uri
    from mlops.use_cases import models

    found = models.compare(environment, group, old, new)
    if format_ == "json":
        print_json(
            {
                "old": models.as_dictionary(found.old),
                "new": models.as_dictionary(found.new),
                "metrics": {name: {"old": old, "new": new} for name, (old, new) in found.metrics.items()},
                "lineage": [{"name": name, "old": old, "new": new} for name, (old, new) in found.made.items()],
            },
            whole_seconds=True,
        )
        return
    rows = [("approval", found.old.version.approval, found.new.version.approval, "")]
    for name, (before_, after_) in found.metrics.items():
        change = f"{after_ - before_:+g}" if before_ is not None and after_ is not None else ""
        first, second = (f"{item:g}" if item is not None else "-" for item in (before_, after_))
        rows.append((name, first, second, change))
    made = sorted(found.made.items(), key=lambda item: _matters(item[0]))
    rows += [(name, *_in_short(first or "-", second or "-"), "") for name, (first, second) in made]
    for label, said in (("image", lambda container: container.get("Image")), ("model", model_uri)):
        before, after = (str(said((item.containers or ({},))[0]) or "") for item in (found.old, found.new))
        rows.append((label, before, after if after != before else _SAME, ""))
    short = [row for row in rows if max(map(len, row)) <= _BESIDE]
    table(("", f"VERSION {old}", f"VERSION {new}", "CHANGE"), short)
    for name, first, second, _ in (row for row in rows if row not in short):
        click.echo(f"{name}{', the same' if second == _SAME else ''}")
        for number, text in ((old, first), (new, second)):
            if text != _SAME:
                click.echo(f"  {'both' if second == _SAME else number}  {text}")
    for why in found.unknown:
        talk(why)


_FIRST = ("hyperparameter", "parameter", "seed", "variable", "package", "data", "commit", "code", "execution")
"""What is made differently by what matters; images and archives come last."""


def _matters(name: str) -> int:
    topic = name.partition(" ")[0]
    return _FIRST.index(topic) if topic in _FIRST else len(_FIRST)


def _in_short(first: str, second: str) -> tuple[str, str]:
    """Digests by their first digits, where that tells the two apart; a part of an address stays whole.

    >>> _in_short("a" * 40, "b" * 40)
    ('aaaaaaaaaaaa', 'bbbbbbbbbbbb')
    >>> _in_short("a" * 40, "a" * 39 + "b")[1][-2:]
    'ab'
    """
    short = (_DIGEST.sub(r"\1", first), _DIGEST.sub(r"\1", second))
    return short if short[0] != short[1] else (first, second)


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@options.as_json
def history(group: str, number: int | None, environment: str, format_: str) -> None:
    """Who decided what on VERSION of GROUP, on all of them without, when and why, and where they were promoted, taken
    and rolled back."""
    from dataclasses import asdict

    from mlops.use_cases import models

    found = models.history(environment, group, number)
    nobody = "somebody unknown"
    if format_ == "json":
        print_json([asdict(item) for item in found])
        return
    shown = ("AT", *(() if number is not None else ("VERSION",)), "WHAT", "ENDPOINT", "BY", "REASON")
    table(
        shown,
        [
            (
                moment(item.at),
                *(() if number is not None else (str(item.version),)),
                item.status,
                item.endpoint or "",
                item.by or nobody,
                item.reason or "",
            )
            for item in found
        ],
    )


_paper = click.option(
    "--format",
    "format_",
    type=options.Choice(["markdown", "html", "json"]),
    help="Without, what the name of FILE says, else markdown.",
)
_into = options.output_path("out", "--out", "Where to. Default: standard output.")
_most = click.option(
    "--most",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MB",
    help="Of each data set, at most that is read for its statistics; 64 without.",
)


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@_most
@_into
@_paper
def card(
    group: str, number: int | None, environment: str, most: float | None, out: Path | None, format_: str | None
) -> None:
    """The model card of VERSION of GROUP, the newest without: what it is for, what it was trained on, how good it is,
    who decided what. As JSON it is what SageMaker takes."""
    from mlops.use_cases import cards

    paper = cards.card(environment, group, number, most=most)
    _hand_over(paper, out, format_)
    if paper.missing:
        talk(f"nobody has said: {', '.join(paper.missing)}")


@command.command()
@click.argument("group")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
@options.environment
@_most
@_into
@_paper
def datasheet(
    group: str, number: int | None, environment: str, most: float | None, out: Path | None, format_: str | None
) -> None:
    """A datasheet of what VERSION of GROUP, the newest without, was trained on: what is asked of every data set, and
    what nobody answers."""
    from mlops.use_cases import cards

    paper = cards.datasheet(environment, group, number, most=most)
    _hand_over(paper, out, format_)
    if paper.missing:
        talk(f"{len(paper.missing)} questions that nobody answers")


@command.command()
@click.argument("group")
@click.argument("old", type=int, metavar="OLD")
@click.argument("new", type=int, metavar="NEW")
@options.environment
@_most
@_into
@_paper
def notes(
    group: str, old: int, new: int, environment: str, most: float | None, out: Path | None, format_: str | None
) -> None:
    """Release notes of GROUP between the versions OLD and NEW: metrics, data, code, images, parameters, commits,
    verdicts, decisions."""
    from mlops.use_cases import cards

    _hand_over(cards.notes(environment, group, old, new, most=most), out, format_)


def _hand_over(paper: Paper, out: Path | None, format_: str | None) -> None:
    """Made again each time, so what lay in the file goes."""
    import json

    from mlops.emit.sheets import html, markdown
    from mlops.project.files import write_text

    by_name = {".html": "html", ".htm": "html", ".json": "json"}
    chosen = format_ or (by_name.get(out.suffix.lower()) if out is not None else None) or "markdown"
    if out is None and chosen == "json":
        print_json(paper.told)
        return
    if chosen == "json":
        text = json.dumps(paper.told, indent=2, ensure_ascii=False) + "\n"
    else:
        text = html.emit(paper.page) if chosen == "html" else markdown.emit(paper.page)
    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    talk(f"{paper.page.title} is in {out}")


@command.command()
@click.argument(
    "sources",
    nargs=-1,
    required=True,
    metavar="DIR|FILE...|GROUP [VERSION]",
    type=click.Path(path_type=Path),
)
@options.environment
@click.option(
    "--as",
    "form",
    type=click.Choice(("archive", "container", "lambda")),
    help="Package what was registered: GROUP [VERSION].",
)
@click.option(
    "-o",
    "--output",
    "out",
    cls=options.Renamed,
    old=("--out",),
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The archive, model.tar.gz by default; the folder, GROUP-VERSION.",
)
@click.option(
    "--largest",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="GB",
    help="More than that is refused.",
)
@click.option("--allow", "allowed", multiple=True, metavar="FILE", help="This file in the archive holds no secret.")
@click.option(
    "--requirements",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What is installed beside it, pinned; with --as.",
)
@click.option("--base", metavar="IMAGE", help="What its image begins with; with --as.")
@options.as_json
def package(
    sources: tuple[Path, ...],
    form: Form | None,
    out: Path | None,
    largest: float,
    allowed: tuple[str, ...],
    requirements: Path | None,
    base: str | None,
    environment: str,
    format_: str,
) -> None:
    """Pack a model: its files at the root, Python files and requirements.txt in code/.

    The same files give the same bytes. Links that lead out of a folder, and secrets, are refused.

    With --as a VERSION of GROUP, the newest without, is packaged: its archive, or a folder of which Docker builds a
    container or a Lambda function that answers as the endpoint does.
    """
    from mlops.cli.listening import hear

    if form is not None:
        from mlops.use_cases.standalone import Wanted

        group, number = _version_of(sources)
        _package_version(Wanted(environment, group, number, form, out, requirements, base, largest, allowed), format_)
        return
    if requirements is not None or base is not None:
        raise click.UsageError("--requirements and --base are for --as container and --as lambda")

    from mlops.use_cases import packaging

    out = out or Path("model.tar.gz")
    packed = packaging.package(packaging.Packaging(sources, out, largest, allowed), hear)
    if format_ == "json":
        files = [{"name": name, "bytes": size} for name, size in packed.files]
        print_json({"file": str(packed.out), "sha256": packed.sha256, "bytes": packed.size, "files": files})
        return
    for name, size in packed.files:
        click.echo(f"  {name} ({size:,} bytes)")
    click.echo(f"{packed.out}: {packed.size:,} bytes, sha256 {packed.sha256}")


def _version_of(words: tuple[Path, ...]) -> tuple[str, int | None]:
    """GROUP [VERSION], which click took for paths."""
    group, *number = map(str, words)
    if len(number) > 1 or not all(item.isascii() and item.isdigit() for item in number):
        raise click.UsageError("--as packages what was registered: give GROUP, or GROUP and VERSION")
    return group, int(number[0]) if number else None


def _package_version(wanted: Wanted, format_: str) -> None:
    from mlops.cli.listening import hear
    from mlops.use_cases.standalone import package_version

    made = package_version(wanted, hear)
    files = [{"name": name, "bytes": size} for name, size in made.files]
    if format_ == "json":
        print_json(
            {
                "group": made.version.group,
                "version": made.version.number,
                "as": made.form,
                "out": str(made.out),
                "files": files,
                "sha256": made.sha256,
                "base": made.base,
                "requirements": list(made.requirements),
                "tries": list(made.tries),
            }
        )
        return
    for name, size in made.files:
        click.echo(f"  {name} ({size:,} bytes)")
    digest = f", sha256 {made.sha256}" if made.sha256 else f", {len(made.files)} files FROM {made.base}"
    click.echo(f"{made.out}: version {made.version.number} of {made.version.group}{digest}")
    for line in made.tries:
        click.echo(f"  {line}")


def _when(time: datetime | None, person: str | None) -> str:
    if time is None:
        return ""
    return f"{moment(time)}{f' by {person}' if person else ''}"


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.as_user
@asking.yes
@options.as_json
def approve(
    group: str, number: int, environment: str, reason: str | None, user: str | None, yes: bool, format_: str
) -> None:
    """Approve VERSION of GROUP: it may be promoted."""
    _decide(group, number, environment, "Approved", reason, user, format_, yes=yes)


@command.command()
@click.argument("group")
@click.argument("number", type=int, metavar="VERSION")
@options.environment
@click.option("--reason", help="Kept with the version.")
@asking.as_user
@asking.yes
@options.as_json
def reject(
    group: str, number: int, environment: str, reason: str | None, user: str | None, yes: bool, format_: str
) -> None:
    """Reject VERSION of GROUP: it can no longer be promoted. What serves it goes on, and is told."""
    _decide(group, number, environment, "Rejected", reason, user, format_, yes=yes)


def _decide(
    group: str,
    number: int,
    environment: str,
    status: Literal["Approved", "Rejected"],
    reason: str | None,
    user: str | None,
    format_: str,
    *,
    yes: bool,
) -> None:
    from dataclasses import asdict

    from mlops.cli.listening import hear
    from mlops.use_cases.models import Decision, decide
    from mlops.use_cases.wanted_approvals import wanted_approvals

    changed = decide(environment, Decision(group, number, status, reason, user), hear, asking.consent(yes))
    wanted = wanted_approvals(environment, group, number, hear) if status == "Approved" else ()
    if format_ == "json":
        told_wanted = [{"environment": item.environment, **asdict(item.counted)} for item in wanted]
        print_json(
            {"group": group, "version": number, "approval": status, "changed": changed, "approvals": told_wanted}
        )
        return
    click.echo(f"{group} version {number}: {status}")
    if not changed:
        verb = status.lower()
        told = f"{user or 'you'} had {verb} it before, which stands: nothing was changed"
        talk(f"{told}, and one person counts once" if status == "Approved" else told)
    for item in wanted:
        found = item.counted
        names = f", by {', '.join(found.by)}" if found.by else ""
        click.echo(f"  {item.environment}: {len(found.by)} of {found.wanted} approvals{names}{found.beside}")
