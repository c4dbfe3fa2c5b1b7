"""``mlops streams``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table

FUNCTIONS = ("csv-to-json",)


@click.group(cls=Group)
def command() -> None:
    """Streams of Data Firehose: list, show, put, replay, tune, and functions for them."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """All streams, and where they deliver to."""
    from mlops.use_cases.streams import as_dictionary, listed

    found = [as_dictionary(stream) for stream in listed(environment)]
    if format_ == "json":
        print_json(found)
        return
    table(
        ("STREAM", "STATUS", "TO", "WAITING"),
        [(item["name"], item["status"], item["to"], _bytes(item.get("waiting_bytes"))) for item in found],
    )


@command.command()
@click.argument("stream")
@options.environment
@options.as_json
def show(stream: str, environment: str, format_: str) -> None:
    """One STREAM: where it delivers to, and in the local account how far it is and what keeps it."""
    from mlops.use_cases.streams import as_dictionary, shown

    found = shown(environment, stream)
    told = as_dictionary(found)
    if format_ == "json":
        print_json(told)
        return
    click.echo(f"{found.name}: {found.status}, version {found.version}, since {moment(found.created)}")
    click.echo(f"to {told['to']} ({found.destination}); what fails: {_failing(told)}")
    if found.delivery is not None:
        click.echo(
            f"{told['delivered']} delivered, {told['failed']} failed{_dropped(told)}, "
            f"{_bytes(told['waiting_bytes'])} waiting"
            f"{'; tried again: ' + told['trouble'] if told['trouble'] else ''}"
        )
        if told["failed"] > told["dropped"]:
            click.echo(f"`mlops streams replay {found.name}` puts again what failed and still lies there")


@command.command()
@click.argument("stream")
@click.argument("source", type=click.File("rb"), default="-")
@options.environment
@click.option("--events", is_flag=True, help="What happened in the account instead, a document each.")
@options.since("Only events from then on")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only such, e.g. promotion or monitor.violated.")
@asking.yes
@options.as_json
def put(
    stream: str,
    source: BinaryIO,
    environment: str,
    events: bool,
    since: str | None,
    kinds: tuple[str, ...],
    yes: bool,
    format_: str,
) -> None:
    """Put each line of SOURCE (standard input without) into STREAM, as a record with its end; or the account's
    events."""
    from mlops.use_cases import streams

    if not events and (since is not None or kinds):
        raise click.UsageError("--since and --kind are of --events")
    told = (
        streams.put_events(environment, stream, since, kinds, asking.consent(yes))
        if events
        else streams.put(environment, stream, source, asking.consent(yes))
    )
    if format_ == "json":
        print_json({"sent": told.sent, "again": told.again, "requests": told.requests})
        return
    again = f", {told.again} of them again" if told.again else ""
    click.echo(f"{told.sent} record{'s' if told.sent != 1 else ''} in {told.requests} requests{again}")


@command.command()
@click.argument("stream")
@options.environment
@click.option("--keep", is_flag=True, help="Leave the objects where they lie.")
@click.option("--dry-run", "dry", is_flag=True, help="Only count.")
@options.since("Only records that came from then on")
@options.until("Only records that came before then.")
@click.option("--prefix", default="", metavar="KEY", help="Only objects whose key begins so.")
@click.option("--record", "ids", multiple=True, metavar="ID", help="Only the record with this id; may be repeated.")
@asking.yes
@options.as_json
def replay(
    stream: str,
    environment: str,
    keep: bool,
    dry: bool,
    since: str | None,
    until: str | None,
    prefix: str,
    ids: tuple[str, ...],
    yes: bool,
    format_: str,
) -> None:
    """Put again what STREAM could not deliver and wrote below its error prefix; objects whose records were taken go,
    and of others what was taken."""
    from mlops.use_cases import streams

    part = streams.part_of(since, until, prefix, ids)
    told = streams.replayed(environment, stream, asking.consent(yes), part=part, keep=keep, dry=dry)
    if format_ == "json":
        print_json({"objects": told.objects, "records": told.records, "removed": told.removed})
        return
    click.echo(f"{told.records} records of {told.objects} objects{'' if not dry else ' would be put again'}")


@command.command()
@click.argument("stream")
@options.environment
@click.option("--delay", type=click.FloatRange(min=0), metavar="SECONDS", help="How late a record may be.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Records a second, instead.")
@click.option("--bytes", "size", type=click.FloatRange(min=1), metavar="N", help="Of a record, instead.")
@click.option("--tolerance", type=click.IntRange(min=1), metavar="N", help="Records that one request may bring twice.")
@click.option("--measure", is_flag=True, help="Also put such records into a stream made for it on this machine.")
@click.option("--failing", type=click.FloatRange(0, 0.9), default=0.0, metavar="SHARE", help="Of these, refused first.")
@options.as_json
def tune(
    stream: str,
    environment: str,
    delay: float | None,
    rate: float | None,
    size: float | None,
    tolerance: int | None,
    measure: bool,
    failing: float,
    format_: str,
) -> None:
    """What STREAM and who puts into it would be set to, by what was put of late, and why. Changes nothing."""
    from mlops.use_cases import streams

    if failing and not measure:
        raise click.UsageError("--failing is of --measure")
    told = streams.tune(environment, stream, delay, rate, size, tolerance)
    flow = told.flow
    found = list(streams.measure(flow, failing)) if measure else []
    if format_ == "json":
        print_json(
            {
                "records": flow.records,
                "bytes": flow.bytes,
                "records_per_second": round(flow.rate, 3),
                "delay_seconds": told.delay,
                "billed_times": round(told.billed, 3),
                "dollars_per_gb": [round(item, 4) for item in told.dollars],
                "settings": [
                    {"setting": item.setting, "now": item.now, "then": item.then, "why": item.why}
                    for item in told.suggestions
                ],
                "measured": [
                    {
                        "records_in_a_request": item.batch,
                        "records": item.records,
                        "requests": item.requests,
                        "milliseconds": round(item.milliseconds, 3),
                        "records_per_second": round(item.records_per_second),
                        "again": item.again,
                    }
                    for item in found
                ],
            }
        )
        return
    click.echo(f"{flow.records} records of {flow.bytes / flow.records:.0f} bytes, {flow.rate:.1f} a second")
    table(
        ("SETTING", "NOW", "THEN", "WHY"),
        [(item.setting, item.now, item.then if item.is_change else "", item.why) for item in told.suggestions],
    )
    now, then = told.dollars
    click.echo(f"a GB costs ${now:.3f}{f', then ${then:.3f}' if then < now else ''} to put (us-east-1, first 500 TB)")
    if found:
        click.echo(
            f"\nmeasured here, {failing:.0%} of the records refused at first; a request to an account takes longer"
        )
        rows = [
            (f"{item.batch}", f"{item.milliseconds:.2f}", f"{item.records_per_second:.0f}", f"{item.requests}",
             f"{item.again / item.records:.1%}", f"{item.batch}")
            for item in found
        ]  # fmt: skip
        table(("IN A REQUEST", "MS", "RECORDS/S", "REQUESTS", "SENT AGAIN", "TWICE IF UNANSWERED"), rows)


@command.command("function")
@click.argument("name", type=click.Choice(FUNCTIONS))
@options.as_json
def function_(name: str, format_: str) -> None:
    """The source of a function that changes records: write it to a file, say its columns there, and it is yours."""
    from mlops.use_cases.functions import source

    text = source(name)
    if format_ == "json":
        print_json({"name": name, "handler": "handler", "source": text})
        return
    click.echo(text, nl=False)


def _bytes(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count} bytes" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def _dropped(told: Mapping[str, Any]) -> str:
    return f" ({told['dropped']} too large for it, and gone)" if told["dropped"] else ""


def _failing(told: Mapping[str, Any]) -> str:
    place = told["error_prefix"] or f"{told['prefix']}…failed/"
    return f"s3://{told['bucket']}/{place}"
