"""``mlops selftest``."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.listening import refuse_errors
from mlops.cli.printing import print_json, talk
from mlops.ir import Refusal, UsageError


@click.command()
@options.environment
@click.option(
    "--max-cost", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="US dollars."
)
@click.option(
    "--hourly-price",
    type=click.FloatRange(min=0, min_open=True),
    default=0.25,
    show_default=True,
    help="US dollars for an hour of the environment's instance type; one runs at a time.",
)
@click.option("--yes", is_flag=True, help="Run it; without this it only says what it would do.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was proved here, as JSON.")
@options.as_json
def command(
    environment: str, max_cost: float, hourly_price: float, yes: bool, report: Path | None, format_: str
) -> None:
    """Prove an account: create a small pipeline there, run it, and take everything away again.

    It runs the pipeline of `mlops init` under a name of its own. What would cost more than --max-cost is stopped.
    """
    import json
    from importlib import resources

    from mlops.check.sources import open_one
    from mlops.cli.commands.init import PLACEHOLDER, write_template
    from mlops.deploy.selftest import selftest, unique_name
    from mlops.project.files import write_text
    from mlops.project.root import CONFIGURATION, LOCK
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    seconds = max_cost / hourly_price * 3600
    name = unique_name()
    if not yes:
        talk(f"would run {name} in {environment} for at most {seconds / 60:.0f} minutes, and remove it; --yes does it")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        template = resources.files("mlops.cli").joinpath("templates", "project", "pipelines", PLACEHOLDER)
        write_template(template, folder, name)
        for file in (CONFIGURATION, LOCK):
            if (connected.root / file).is_file():
                (folder / file).write_bytes((connected.root / file).read_bytes())
        opened = open_one(str(folder / "pipeline.py"), environment)
        refuse_errors(opened.findings, doing="selftest")
        if not opened.pipelines:
            raise UsageError("the selftest's pipeline does not compile for this environment")
        proofs = selftest(connected.account, connected.environment, opened.pipelines[0], seconds=seconds, say=talk)
    told = {"environment": environment, "pipeline": name, "proofs": [asdict(proof) for proof in proofs]}
    if report is not None:
        write_text(report, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    if format_ == "json":
        print_json(told)
    else:
        for proof in proofs:
            click.echo(f"{'ok' if proof.ok else 'FAILED':6} {proof.name} in {proof.seconds:.0f} s: {proof.detail}")
    if not all(proof.ok for proof in proofs):
        raise Refusal(f"the selftest of {environment} failed")
