"""``mlops endpoints``."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any, TextIO

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk


@click.group(cls=Group)
def command() -> None:
    """What serves: look at it, ask it, steer its promotion, roll it back, delete it."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """All endpoints."""
    from mlops.use_cases.endpoints import as_list, listed

    found = listed(environment)
    if format_ == "json":
        print_json(as_list(found), whole_seconds=True)
        return
    table(("ENDPOINT", "STATUS"), [(str(item["EndpointName"]), str(item["EndpointStatus"])) for item in found])


@command.command()
@click.argument("name")
@options.environment
@options.as_json
def show(name: str, environment: str, format_: str) -> None:
    """One endpoint: its state, and which model each variant serves."""
    from mlops.use_cases import endpoints

    found = endpoints.show(environment, name)
    if format_ == "json":
        print_json(endpoints.as_dictionary(found), whole_seconds=True)
        return
    reason = found.get("FailureReason")
    click.echo(f"{name}: {found['EndpointStatus']}{f' ({reason})' if reason else ''}")
    click.echo(f"  configuration  {found['EndpointConfigName']}")
    if found["Address"]:
        click.echo(f"  address        {found['Address']}")
    live = {item["VariantName"]: item for item in found.get("ProductionVariants") or ()}
    total = sum(item.get("CurrentWeight") or 0 for item in live.values())
    for variant, model in found["Models"].items():
        weight, count = live.get(variant, {}).get("CurrentWeight"), live.get(variant, {}).get("CurrentInstanceCount")
        share = f"  {100 * weight / total:g} %" if weight is not None and total and len(live) > 1 else ""
        counted = f"  {count} instance{'s' if count != 1 else ''}" if count is not None and len(live) > 1 else ""
        click.echo(f"  {variant}{share}{counted}  {model}")
    pending = found.get("PendingDeploymentSummary") or {}
    if pending:
        click.echo(f"  coming         {pending['EndpointConfigName']}")
    for item in pending.get("ProductionVariants") or ():
        for status in item.get("VariantStatus") or ():
            click.echo(f"  {item['VariantName']}  {status.get('StatusMessage') or status['Status']}")
    shift = found["Shift"]
    if shift is not None:
        begun = f" with the environment {shift['environment']}" if shift["environment"] else ""
        click.echo(
            f"  a promotion of version {shift['version']} of {shift['group']} by {shift['by']}{begun} is "
            f"{shift['phase']}, {shift['moves_done']} of {shift['moves']} moves done, "
            f"last heard of {shift['silent_seconds']} seconds ago"
        )


@command.command()
@click.argument("name")
@click.argument("request", required=False, metavar="[FILE]")
@options.environment
@click.option("--data", help="The request itself instead of a file.")
@click.option("--content-type", default="text/csv", show_default=True, help="Of the request.")
@click.option("--accept", help="The content type of the answer.")
@options.as_json
def invoke(
    name: str,
    request: str | None,
    environment: str,
    data: str | None,
    content_type: str,
    accept: str | None,
    format_: str,
) -> None:
    """Send FILE (- is standard input) to an endpoint and print its answer."""
    from mlops.use_cases import endpoints

    if (request is None) == (data is None):
        raise click.UsageError("give either a file or --data")
    if data is not None:
        if data.startswith("@") and Path(data[1:]).is_file():
            raise click.UsageError(
                f"--data is the request itself: `mlops endpoints invoke {name} {data[1:]}` sends a file"
            )
        body = data.encode()
    elif request == "-":
        body = sys.stdin.buffer.read()
    else:
        file = Path(str(request))
        if not file.is_file():
            raise click.UsageError(f"{file} is a folder" if file.is_dir() else f"there is no file {file}")
        body = file.read_bytes()
    reply = endpoints.invoke(environment, name, body, content_type=content_type, accept=accept)
    if format_ == "json":
        print_json(
            {"endpoint": name, "variant": reply.variant, "content_type": reply.content_type, **_body(reply.body)}
        )
        return
    click.echo(reply.body, nl=not reply.body.endswith(b"\n"))
    talk(f"{reply.variant} answered {reply.content_type}")


_reason = click.option("--reason", help="Why, for the records.")


@command.command()
@click.argument("name")
@options.environment
@_reason
@asking.yes
@options.as_json
def delete(name: str, environment: str, reason: str | None, yes: bool, format_: str) -> None:
    """Delete an endpoint; its configuration and its model stay. Asks, but in the local account."""
    from mlops.use_cases import endpoints

    endpoints.delete(environment, name, asking.consent(yes), reason=reason)
    if format_ == "json":
        print_json({"endpoint": name, "deleted": True})
    else:
        click.echo(f"{name}: deleted")


@command.command()
@click.argument("name")
@options.environment
@options.limit("last", "--last", "Only so many.", least=1)
@options.as_json
def history(name: str, environment: str, last: int | None, format_: str) -> None:
    """What was promoted to an endpoint, taken back, rolled back and deleted, by whom and why."""
    from dataclasses import asdict

    from mlops.use_cases import endpoints

    found = endpoints.history(environment, name, last)
    if format_ == "json":
        print_json([asdict(entry) for entry in found])
        return
    table(
        ("AT", "WHAT", "VERSION", "HOW", "BY", "REASON"),
        [
            (
                moment(entry.at),
                entry.verb,
                f"{entry.group} {entry.version}" if entry.version else entry.group,
                entry.how or "",
                entry.by,
                entry.reason or "",
            )
            for entry in found
        ],
    )


def _steered(what: str, name: str, environment: str | None, yes: bool, format_: str, reason: str | None) -> None:
    from mlops.cli.listening import hear
    from mlops.use_cases import endpoints

    wanted: Any = what
    told = endpoints.steer(environment, name, wanted, hear, asking.consent(yes), reason=reason)
    if format_ == "json":
        print_json({"endpoint": name, "told": told})
    else:
        click.echo(told)


@command.command()
@click.argument("name")
@options.environment_of_shift
@_reason
@asking.yes
@options.as_json
def pause(name: str, environment: str | None, reason: str | None, yes: bool, format_: str) -> None:
    """Leave the traffic as it is split now, until `resume` or `abort`."""
    _steered("pause", name, environment, yes, format_, reason)


@command.command()
@click.argument("name")
@options.environment_of_shift
@_reason
@asking.yes
@options.as_json
def resume(name: str, environment: str | None, reason: str | None, yes: bool, format_: str) -> None:
    """Go on with a promotion that was paused, or whose process is gone."""
    _steered("resume", name, environment, yes, format_, reason)


@command.command("promote-now")
@click.argument("name")
@options.environment_of_shift
@_reason
@asking.yes
@options.as_json
def promote_now(name: str, environment: str | None, reason: str | None, yes: bool, format_: str) -> None:
    """End a promotion that is under way without looking at it any longer."""
    _steered("promote-now", name, environment, yes, format_, reason)


@command.command()
@click.argument("name")
@options.environment_of_shift
@_reason
@asking.yes
@options.as_json
def abort(name: str, environment: str | None, reason: str | None, yes: bool, format_: str) -> None:
    """Take a promotion that is under way back."""
    _steered("abort", name, environment, yes, format_, reason)


@command.command()
@click.argument("name")
@options.environment
@click.option(
    "--every", type=options.Duration(), default="5s", show_default=True, metavar="DURATION", help="How often to look."
)
@click.option(
    "--for", "at_most", type=options.Duration(), metavar="DURATION", help="Stop after that long; 0 is one look."
)
@options.as_json
def watch(name: str, environment: str, every: float, at_most: float | None, format_: str) -> None:
    """Shares, requests, errors and latency of each variant, until the promotion that is under way has ended, or
    Ctrl-C. Exit code 1 where it was taken back."""
    from mlops.cli.looking import shown
    from mlops.ir import Refusal
    from mlops.use_cases import watching_endpoints

    with shown(as_json=format_ == "json") as show_look:
        ended = watching_endpoints.watch(
            environment,
            name,
            show_look,
            every=max(1.0, every),
            at_most=at_most,
        )
    if ended is not None and ended.phase == "taken back":
        told = f"version {ended.version} of {ended.group} was taken back"
        raise Refusal(f"{told}: {ended.reason}" if ended.reason else told)


@command.command()
@click.argument("name")
@click.argument("file", type=click.File(encoding="utf-8"), default="-")
@options.environment
@asking.yes
@options.as_json
def outcome(name: str, file: TextIO, environment: str, yes: bool, format_: str) -> None:
    """Publish what became of requests to the endpoint NAME: conversions, ratings, labels.

    FILE, or standard input, is a CSV or JSON Lines with inference_id and a column for each outcome.
    """
    from mlops.use_cases import outcomes

    try:
        text = file.read()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file.name} is no text in UTF-8") from None
    count = outcomes.publish_file(environment, name, text, file.name, asking.consent(yes))
    if format_ == "json":
        print_json({"endpoint": name, "outcomes": count})
        return
    click.echo(f"{count} outcome{'s' if count != 1 else ''} of {name} published")


@command.command()
@click.argument("name")
@options.environment
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What was right: a CSV or JSON Lines with inference_id and label.",
)
@click.option("--within", type=click.FloatRange(min=0), default=0.0, help="Numbers this near to each other agree.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="From which score on the label is 1.")
@options.limit("most", "--list", "So many that disagree.", default=20)
@options.as_json
def shadow(
    name: str, environment: str, labels: Path | None, within: float, threshold: float, most: int, format_: str
) -> None:
    """Hold a shadow variant's answers against production's: where they disagree, and which is wrong more often."""
    from mlops.use_cases import shadow as shadows

    found = shadows.shadow(environment, name, labels=labels, within=within, threshold=threshold)
    if format_ == "json":
        print_json(shadows.as_dictionary(name, found, most))
        return
    share = 100 * len(found.disagreeing) / found.pairs
    unknown = f", {found.unknown} not shown to it or not kept" if found.unknown else ""
    click.echo(f"{name}: {found.shadow} beside {found.variant} in {found.config}, {found.pairs} requests{unknown}")
    click.echo(f"  disagree     {len(found.disagreeing)} ({share:.3g} %)")
    if found.distances is not None:
        spread = found.distances
        click.echo(f"  distance     {spread.median:g} at the median, {spread.p99:g} at p99, {spread.most:g} at most")
    for what, taken in ((found.variant, found.milliseconds), (found.shadow, found.shadow_milliseconds)):
        if taken is not None:
            click.echo(f"  time         {taken.median:.3g} ms at the median, {taken.p99:.3g} ms at p99: {what}")
    for what, held in (("failed", found.failed), ("wrong", found.labels)):
        if held is not None:
            said = f"only {found.shadow} {held.only_shadow}, only {found.variant} {held.only_production}"
            click.echo(f"  {what:<11}  {said} of {held.pairs}: {held.verdict}")
    if found.unreadable:
        talk(f"{found.unreadable} labels have answers that were not captured, or have no single value")
    if found.disagreeing and most:
        shown = found.disagreeing[-most:]
        header = ("INFERENCE ID", "EVENT", found.variant.upper(), found.shadow.upper(), "INPUT")
        table(header, [_disagreeing(pair) for pair in shown])
        if len(shown) < len(found.disagreeing):
            talk(f"the last {len(shown)} of {len(found.disagreeing)}; --limit shows more")


def _disagreeing(pair: Any) -> tuple[str, ...]:
    def said(status: int, answer: str | None) -> str:
        return _line(answer) if status == 200 else str(status)

    return (
        pair.inference_id or "-",
        pair.event_id,
        said(pair.status, pair.answer),
        said(pair.shadow_status, pair.shadow_answer),
        _line(pair.input),
    )


def _line(text: str | None) -> str:
    """As one short line of a table; what was not captured is not there."""
    if text is None:
        return "-"
    told = "".join(letter if letter.isprintable() else " " for letter in text.strip())
    return told if len(told) <= 60 else f"{told[:59]}…"


@command.command()
@click.argument("name")
@options.environment
@click.option("--metric", default="Invocations", show_default=True, help="Name of the metric.")
@click.option("--statistic", default="Sum", show_default=True, help="Sum, Average, p99 ...")
@click.option("--namespace", default="AWS/SageMaker", show_default=True, help="Namespace of the metric.")
@click.option("--variant", help="A variant, where there are several.")
@click.option("--look-back", default="14d", show_default=True, help="How long a history is read.")
@click.option("--every", default="1h", show_default=True, help="How far apart values are.")
@click.option("--ahead", default="1d", show_default=True, help="How far to look.")
@click.option("--season", "seasons", multiple=True, metavar="TIME", help="Its period; may be repeated. Else found.")
@click.option("--ridge", type=click.FloatRange(0), default=0.0, help="Hold coefficients towards 0 by so much.")
@click.option(
    "--backend",
    type=options.Choice(["here", "ml_commons"]),
    default="here",
    show_default=True,
    help="Where it is fitted: ml_commons is OpenSearch's, of [env.NAME.search].",
)
@click.option(
    "--per-instance", type=click.FloatRange(0, min_open=True), help="Requests a minute that one instance bears."
)
@options.as_json
def forecast(
    name: str,
    metric: str,
    statistic: str,
    namespace: str,
    variant: str | None,
    look_back: str,
    every: str,
    ahead: str,
    seasons: tuple[str, ...],
    ridge: float,
    backend: Any,
    per_instance: float | None,
    environment: str,
    format_: str,
) -> None:
    """What a metric will be: trend and seasons by least squares, what departed from them, and whether that is better
    than repeating the past."""
    from mlops.cli.forecast_text import lines
    from mlops.use_cases import forecasting

    wanted = forecasting.Wanted(
        metric, statistic, namespace, variant, look_back, every, ahead, seasons or None, ridge, per_instance, backend
    )
    found = forecasting.forecast(environment, name, wanted)
    if format_ == "json":
        print_json(forecasting.as_dictionary(found), whole_seconds=True)
        return
    for line in lines(name, found):
        click.echo(line)
    table(
        ("TIME", "EXPECTED", "LOW", "HIGH"),
        [(moment(it.time), f"{it.expected:.6g}", f"{it.low:.6g}", f"{it.high:.6g}") for it in found.ahead],
    )


_dry = options.dry_run("Only print every call that would follow.")


@command.command("shadow-start")
@click.argument("name")
@click.argument("group")
@options.environment
@options.version
@click.option(
    "--share",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    help="Percent of the requests that it is shown.",
)
@click.option(
    "--for", "lasts", type=options.Duration(), metavar="DURATION", help="How long; 7 days without, 30 at the most."
)
@click.option("--payloads", is_flag=True, help="Keep what is asked and answered, in the environment's bucket.")
@click.option("--instance", help="Instance type; by default the one that serves.")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="Instances.")
@_dry
@_reason
@asking.yes
@options.as_json
def shadow_start(
    name: str,
    group: str,
    environment: str,
    number: int | None,
    share: int,
    lasts: float | None,
    payloads: bool,
    instance: str | None,
    count: int,
    dry: bool,
    reason: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Have a version of GROUP beside what the endpoint NAME serves, as its shadow: it is shown requests, and nobody
    gets its answers. The same again changes one that is under way, or waits for it."""
    from mlops.cli.listening import hear
    from mlops.deploy.endpoints.shadow_tests import Wish
    from mlops.use_cases import shadow_tests

    found = shadow_tests.start(
        environment,
        name,
        group,
        Wish(share, lasts, payloads, instance, count),
        number=number,
        only_plan=dry,
        reason=reason,
        listener=hear,
        consent=asking.consent(yes),
    )
    _tried(found, format_)


@command.command("shadow-stop")
@click.argument("name")
@options.environment
@click.option("--promote", "ending", flag_value="Promote", help="The shadow serves, where the gates let it.")
@click.option("--retain", "ending", flag_value="Retain", help="The shadow stays one, without an end.")
@click.option("--remove", "ending", flag_value="Remove", default="Remove", help="All is as before; the default.")
@_dry
@_reason
@asking.yes
@options.as_json
def shadow_stop(
    name: str, environment: str, ending: Any, dry: bool, reason: str | None, yes: bool, format_: str
) -> None:
    """End the shadow test of an endpoint before its time."""
    from mlops.cli.listening import hear
    from mlops.use_cases import shadow_tests

    found = shadow_tests.stop(
        environment, name, ending or "Remove", only_plan=dry, reason=reason, listener=hear,
        consent=asking.consent(yes),
    )  # fmt: skip
    _tried(found, format_)


def _tried(found: Any, format_: str) -> None:
    plan, trial = found.plan, found.trial
    calls = [call.told for call in plan.calls]
    status = None if trial is None else trial.status
    if format_ == "json":
        print_json(
            {
                "endpoint": plan.endpoint,
                "experiment": plan.experiment,
                "group": plan.group,
                "version": plan.version,
                "calls": calls,
                "status": status,
                "share": None if trial is None else trial.share,
                "end": None if trial is None else trial.end,
            }
        )
    elif trial is None:
        for line in calls or ["nothing to do"]:
            click.echo(line)
    else:
        until = f", until {moment(trial.end)}" if trial.end is not None and status == "Running" else ""
        click.echo(f"{plan.endpoint}: {plan.experiment} is {status}{until}")


@command.command()
@click.argument("name")
@options.environment
@click.option(
    "--version",
    "number",
    cls=options.Renamed,
    old=("--to",),
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="This version instead of the one before.",
)
@_reason
@asking.yes
@options.as_json
def rollback(name: str, environment: str, number: int | None, reason: str | None, yes: bool, format_: str) -> None:
    """Back to what served before, at once; a plain promotion passes the version over from then on."""
    from dataclasses import asdict

    from mlops.cli.listening import hear
    from mlops.use_cases import endpoints

    entry = endpoints.rollback(environment, name, hear, asking.consent(yes), number=number, reason=reason)
    if format_ == "json":
        print_json(asdict(entry))
        return
    click.echo(f"{name} was rolled back {entry.how}")


def _body(body: bytes) -> dict[str, str]:
    """As text where it is text."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
