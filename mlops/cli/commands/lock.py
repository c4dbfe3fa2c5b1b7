"""``mlops lock``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli.listening import refuse_errors
from mlops.cli.printing import talk


@click.command()
@click.argument("target", required=False)
@click.option("--check", "checking", is_flag=True, help="Write nothing; fail where mlops.lock would change.")
def command(target: str | None, checking: bool) -> None:
    """Pin the image URIs that the project's pipelines need, in every environment, to mlops.lock.

    Needs the SageMaker SDK's data ('mlops[sagemaker]'); afterwards a compile does not.
    """
    from mlops.check.pinning import pin_images
    from mlops.ir import Refusal, UsageError
    from mlops.project import lock
    from mlops.project.root import LOCK, find_root

    if target is not None and not Path(target).exists():
        raise UsageError(f"there is no {target}")
    root = find_root(Path(target or Path.cwd()).resolve())
    images, findings = pin_images(root)
    refuse_errors(findings, doing="lock")
    text = lock.render(images)
    file = root / LOCK
    if checking:
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            raise Refusal(f"{file} is stale", hint="run `mlops lock` and commit it")
        talk(f"{file} is up to date")
        return
    written = lock.write(file, text)
    talk(f"{file}: {len(set(images.values()))} images {'pinned' if written else 'were pinned before'}")
