"""``mlops run``."""

from __future__ import annotations

import click

from mlops.cli import options


@click.command()
@click.argument("target", required=False)
@click.option(
    "--env",
    "environment",
    default="local",
    show_default=True,
    help="Whose parameters in mlops.toml count where -p gives none; it runs here all the same.",
)
@options.parameters
@click.option("--only", multiple=True, metavar="STEP", help="Run this step, on results of an earlier run; repeatable.")
@click.option(
    "--from",
    "execution",
    metavar="EXECUTION",
    help="With --only: on the results and parameters of this execution (its id, the beginning of it, its ARN, or "
    "`last`); without TARGET also its definition and code.",
)
@click.option(
    "--from-env", metavar="ENV", help="The environment whose account has EXECUTION; its inputs are copied here."
)
@click.option("--no-cache", is_flag=True, help="Run every step, also where an earlier result would serve.")
@click.option(
    "--interrupt-spot",
    multiple=True,
    metavar="STEP[=SECONDS]",
    help="Take the instances of this step of managed spot training away, once its first checkpoint is stored, and give "
    "it others after SECONDS (0). Runs every step; repeatable.",
)
@click.option(
    "--stub",
    "stubs",
    multiple=True,
    metavar="STEP=FILE",
    help="Do not run STEP: FILE, a JSON file, says what others read of it; repeatable.",
)
@click.option(
    "--debug",
    metavar="STEP",
    help="When it has ended, run STEP's Python program once more under pdb: to breakpoints, and to where it raises.",
)
@click.option(
    "--events",
    is_flag=True,
    help="Have the run's events searched while it takes: in the OpenSearch that [env.local.search] names, or in one of "
    "this command.",
)
@options.as_json
def command(
    target: str | None,
    parameters: tuple[str, ...],
    environment: str,
    only: tuple[str, ...],
    execution: str | None,
    from_env: str | None,
    no_cache: bool,
    interrupt_spot: tuple[str, ...],
    stubs: tuple[str, ...],
    debug: str | None,
    events: bool,
    format_: str,
) -> None:
    """Compile, check, upsert, start and watch TARGET in the local account: on this machine, without Docker.

    Without TARGET, the one pipeline of the project that mlops.toml names. A parameter whose default is a place in S3
    also takes a file or folder of this machine.

    Ends with 1 where the execution fails.
    """
    from mlops.cli.watching import Watching, need_success
    from mlops.use_cases.run import Run, run

    values = options.named_values(parameters)
    request = Run(
        target,
        values,
        only,
        execution,
        from_env,
        cache=not no_cache,
        interrupt=interrupt_spot,
        parameters_of=environment,
        stubs=stubs,
        debug=debug,
        events=events,
    )
    with Watching(as_json=format_ == "json") as watching:
        state = run(request, watching)
    if debug is not None:
        from mlops.cli.listening import hear
        from mlops.use_cases.local_account import open_step

        code = open_step(debug, state.id, (), hear, debug=True)
        need_success(state)
        raise click.exceptions.Exit(code)
    need_success(state)
