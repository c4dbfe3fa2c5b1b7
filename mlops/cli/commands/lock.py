"""``mlops lock``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir.counted import counted


@click.command()
@click.argument("target", required=False)
@click.option("--check", "checking", is_flag=True, help="Write nothing; fail where mlops.lock would change.")
@options.as_json
def command(target: str | None, checking: bool, format_: str) -> None:
    """Pin the image URIs that the project's pipelines need, in every environment, to mlops.lock.

    Needs the SageMaker SDK's data ('mlops[sagemaker]'); afterwards a compile does not.
    """
    from mlops.check.places import shown
    from mlops.cli.listening import hear
    from mlops.use_cases.lock import need_current, pin, write

    locked = pin(target, hear)
    file = shown(locked.file)
    if checking:
        need_current(locked)
    written = not checking and write(locked)
    if format_ == "json":
        print_json({"file": file, "images": locked.images, "written": written})
    elif checking:
        talk(f"{file} is up to date")
    else:
        before = "was" if locked.images == 1 else "were"
        images = counted(locked.images, "image")
        talk(f"{file}: {images} {'pinned' if written else f'{before} pinned before'}")
