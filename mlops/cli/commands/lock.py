"""``mlops lock``."""

from __future__ import annotations

import click

from mlops.cli.printing import talk


@click.command()
@click.argument("target", required=False)
@click.option("--check", "checking", is_flag=True, help="Write nothing; fail where mlops.lock would change.")
def command(target: str | None, checking: bool) -> None:
    """Pin the image URIs that the project's pipelines need, in every environment, to mlops.lock.

    Needs the SageMaker SDK's data ('mlops[sagemaker]'); afterwards a compile does not.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.lock import need_current, pin, write

    locked = pin(target, hear)
    if checking:
        need_current(locked)
        talk(f"{locked.file} is up to date")
        return
    written = write(locked)
    talk(f"{locked.file}: {locked.images} images {'pinned' if written else 'were pinned before'}")
