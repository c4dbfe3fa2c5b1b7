"""``mlops search``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk

_OF = ("events", "logs", "captured")


@click.group(cls=Group)
def command() -> None:
    """What happened, in OpenSearch: setup, put, query, serve."""


@command.command()
@options.environment
@click.option(
    "--rollover", type=click.IntRange(min=1), default=30, show_default=True, help="Days that one index is written."
)
@click.option("--keep", type=click.IntRange(min=1), default=365, show_default=True, help="Days that it is kept then.")
@click.option("--replicas", type=click.IntRange(min=0), default=1, show_default=True, help="Of each index.")
@click.option(
    "--shards", type=click.IntRange(1, 1024), default=1, show_default=True, help="Of each index; one holds 10 GB."
)
@click.option("--dry-run", "dry", is_flag=True, help="Only show what would be done.")
@asking.yes
@options.as_json
def setup(
    environment: str, rollover: int, keep: int, replicas: int, shards: int, dry: bool, yes: bool, format_: str
) -> None:
    """Make what the environment's OpenSearch lacks for events: a strict template, the index, a policy of keeping."""
    from mlops.use_cases.search import Keeping, set_up

    told = set_up(environment, Keeping(rollover, keep, replicas, shards), asking.consent(yes), dry=dry)
    if format_ == "json":
        print_json({"url": told.url, "changes": list(told.done), "managed": told.managed, "dry_run": told.dry})
        return
    for label in told.done:
        click.echo(f"{'would ' if told.dry else ''}{label}")
    if not told.done:
        talk("nothing to do")
    if not told.managed:
        talk("note: Index State Management is not there: nothing begins a new index, and nothing removes old events")


@command.command()
@options.environment
@options.since("Only events from then on")
@asking.yes
@options.as_json
def put(environment: str, since: str | None, yes: bool, format_: str) -> None:
    """Put the account's events where they are not yet. Ends with 1 where some were rejected."""
    from mlops.cli.listening import hear
    from mlops.use_cases import search

    told = search.put(environment, since, asking.consent(yes), hear)
    written = told.written
    if format_ == "json":
        print_json(
            {
                "url": told.url,
                "created": written.created,
                "there": written.there,
                "again": written.again,
                "requests": written.requests,
                "rejected": len(written.rejected),
                "unknown": dict(told.unknown),
                "kept": str(told.kept) if told.kept is not None else None,
            }
        )
    else:
        again = f", {written.again} of them again" if written.again else ""
        click.echo(f"{written.created} put{again}, {written.there} there already")
        if len(told.each) > 1:
            for index, its in told.each:
                click.echo(f"  {index.holds}: {its.created} put, {its.there} there already")
        if told.unknown:
            talk(f"not indexed, for there is no field: {', '.join(told.unknown)}")
        if written.rejected:
            talk(f"{len(written.rejected)} rejected, the first: {written.rejected[0].reason}; all in {told.kept}")
    if written.rejected:
        click.get_current_context().exit(1)


@command.command()
@click.argument("words", required=False, metavar="[QUERY]")
@options.environment
@options.since("Only from then on")
@options.until("Only before then.")
@click.option(
    "--of",
    type=click.Choice(_OF),
    default="events",
    show_default=True,
    help="Which index: what happened, was printed, was asked.",
)
@click.option("--by", metavar="FIELD", help="Count them by a field's values instead.")
@options.limit("most", "--most", "How many are told, the newest or most frequent.", least=1, default=20)
@options.as_json
def query(
    words: str | None,
    environment: str,
    since: str | None,
    until: str | None,
    of: str,
    by: str | None,
    most: int,
    format_: str,
) -> None:
    """Events that QUERY finds: `kind:step.ended AND detail.status:Failed`, or words of a reason.

    Where the local environment names no OpenSearch, one on this machine is filled and asked.
    """
    from mlops.use_cases import search

    found = search.query(environment, words, since=since, until=until, by=by, most=most, of=of)
    if format_ == "json":
        print_json({"total": found.total, "events": [*map(_told, found.events)], "counts": _counts(found.counts)})
        return
    if by is not None:
        table((by.upper(), "COUNT"), [(value, str(count)) for value, count in found.counts.items()])
        return
    head, row = _SHOWN[of]
    table(head, [row(event) for event in found.events])
    if found.total > len(found.events):
        talk(f"{found.total} in all: --limit tells more")


@command.command()
@click.option("--port", type=click.IntRange(1, 65535), help="A free one without.")
@click.option("--for", "seconds", type=options.Duration(), metavar="DURATION", help="End after so long.")
@options.as_json
def serve(port: int | None, seconds: float | None, format_: str) -> None:
    """Have an OpenSearch on this machine with the local account's events, for any client. Ctrl-C ends it."""
    from mlops.cli.listening import hear
    from mlops.cli.until_told import until_told
    from mlops.use_cases.search import serving

    with serving(port, hear) as url, until_told() as ended:
        if format_ == "json":
            print_json({"url": url})
        else:
            click.echo(url)
            talk("Ctrl-C ends it")
        sys.stdout.flush()
        ended.wait(seconds)


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    """A document's fields, by names as all our JSON has them."""

    def named(table: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name.lstrip("@").replace("-", "_"): named(value) if isinstance(value, Mapping) else value
            for name, value in table.items()
        }

    return named(event)


def _counts(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"value": value, "events": count} for value, count in counts.items()]


def _row(event: Mapping[str, Any]) -> tuple[str, str, str, str]:
    about = str(event["about"]).rpartition(":")[2]
    detail = ", ".join(f"{name} {_short(value)}" for name, value in event.get("detail", {}).items())
    step = event.get("ids", {}).get("step")
    return moment(event["@timestamp"]), event["kind"], about if step is None else str(step), detail[:120]


def _line(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    ids = line.get("ids", {})
    of = ids.get("step") or "/".join(ids[name] for name in ("endpoint", "variant") if name in ids)
    return moment(line["@timestamp"]), line["level"], of, line["line"]


def _captured(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    features = ", ".join(f"{name} {_short(value)}" for name, value in row.get("feature", {}).items())
    return moment(row["@timestamp"]), f"{row['endpoint']}/{row['variant']}", row["inference"], features


_SHOWN = {
    "events": (("TIME", "KIND", "ABOUT", "TOLD"), _row),
    "logs": (("TIME", "LEVEL", "OF", "LINE"), _line),
    "captured": (("TIME", "ENDPOINT", "INFERENCE", "FEATURES"), _captured),
}


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
