"""``mlops selftest``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, talk
from mlops.ir import Refusal


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
@options.output_path("report", "--report", "Write what was proved there too, as JSON.")
@asking.yes
@options.as_json
def command(
    environment: str, max_cost: float, hourly_price: float, yes: bool, report: Path | None, format_: str
) -> None:
    """Prove an account: create a small pipeline there, run it, and take everything away again.

    It runs the pipeline of `mlops init` under a name of its own. What would cost more than --max-cost is stopped.
    """
    import json

    from mlops.cli.listening import hear
    from mlops.project.files import write_text
    from mlops.use_cases.selftest import plan, selftest

    trial = plan(environment, max_cost=max_cost, hourly_price=hourly_price)
    consent = asking.consent(yes)
    if not (consent.possible or trial.connected.environment.approval):
        most = f"at most {trial.seconds / 60:.0f} minutes"
        talk(f"would run {trial.pipeline} in {environment} for {most}, and remove it; --yes does it")
        return
    proofs = selftest(trial, hear, consent)
    told = {"environment": environment, "pipeline": trial.pipeline, "proofs": [asdict(proof) for proof in proofs]}
    if report is not None:
        write_text(report, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    if format_ == "json":
        print_json(told)
    else:
        for proof in proofs:
            click.echo(f"{'ok' if proof.ok else 'FAILED':6} {proof.name} in {proof.seconds:.0f} s: {proof.detail}")
    if not all(proof.ok for proof in proofs):
        raise Refusal(f"the selftest of {environment} failed")
