"""Whether a container engine of this machine runs images of one's own: only where somebody asks for it, by a variable.

An engine is what has the command line of Docker: podman, docker. An image is never fetched for a run: the registry may
want credentials, and a step may not wait for gigabytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from mlops.ir.image_uri import ecr_image
from mlops.knowledge.algorithm_images import built_in
from mlops.knowledge.framework_images import needs_script, serves_itself
from mlops.knowledge.image_packages import contents
from mlops.knowledge.monitor_images import program_here

VARIABLE = "MLOPS_CONTAINER_ENGINE"
HELP = f"; {VARIABLE}=podman (or docker) runs images of your own"
_SECONDS = 30


def engine() -> str | None:
    """The program that is asked for, by name or path; None where none is."""
    return os.environ.get(VARIABLE) or None


def is_contained(image: object) -> bool:
    """Whether an engine is to run it: one of one's own, where an engine is asked for."""
    return engine() is not None and is_own(image)


def is_own(image: object) -> bool:
    """Whether it is none of AWS's that are known by name.

    >>> is_own("111122223333.dkr.ecr.us-east-1.amazonaws.com/churn:1")
    True
    >>> is_own("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3")
    False
    """
    if not isinstance(image, str) or image.startswith("-"):  # to an engine that would be an option
        return False
    of_aws = (
        of_amazon(image)
        or built_in(image)
        or contents(image)
        or program_here(image)
        or needs_script(image)
        or serves_itself(image)
    )
    return not of_aws


def of_amazon(image: str) -> str | None:
    """The title of a container of Amazon's that processes data by a program of its own.

    >>> of_amazon("663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:3.x")
    'Data Wrangler'
    >>> of_amazon("663277389841.dkr.ecr.us-east-1.amazonaws.com/churn:1") is None
    True
    """
    found = ecr_image(image)
    if found is None or not found.repository.startswith("sagemaker-"):
        return None
    from mlops.knowledge.containers import contract  # most pipelines have none, and need not wait for TOML's reader

    known = contract(found.repository)
    return known.title if known is not None and found.account in known.accounts.values() else None


def lacking(image: str) -> str | None:
    """Why the engine cannot run it."""
    program = engine() or ""
    found = shutil.which(program)
    if found is None:
        return f"{VARIABLE} is {program!r}, which is no program on PATH: use podman or docker, or leave it unset"
    if _identity(found, image) is not None:
        return None
    return f"{program} has no image {image} here: `{program} pull {image}` brings it"


def identity(image: str) -> str | None:
    """The engine's own name of what it has, which another content has not; None where it has none."""
    found = shutil.which(engine() or "")
    return None if found is None else _identity(found, image)


def _identity(program: str, image: str) -> str | None:
    # Asked each time: what it has is another one as soon as somebody builds or pulls it.
    words = [program, "image", "inspect", "--format", "{{.Id}}", image]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
