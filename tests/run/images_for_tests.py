"""Virtual environments that stand for images, made in a moment: without pip, of modules that are written into them."""

from __future__ import annotations

import os
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from mlops.account.local.images.shelf import VENV, Built, Shelf
from mlops.knowledge.image_need import Need, need

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn"
OLD, NEW = f"{SKLEARN}:1.2-1-cpu-py3", f"{SKLEARN}:1.4-2-cpu-py3"


def stand_in(state: Path, wanted: Need | None, modules: Mapping[str, str]) -> Path:
    """Built for ``wanted``, with ``modules`` by their names; its folder."""
    assert wanted is not None
    shelf = Shelf(state)
    shelf.want(wanted)
    folder = shelf.place(wanted)
    venv.create(folder / VENV, symlinks=True)
    (packages,) = (folder / VENV / "lib").glob("python*/site-packages")
    for name, text in modules.items():
        (packages / f"{name}.py").write_text(text, encoding="utf-8")
    version = sys.version.split()[0]
    built = Built(version, sys.base_prefix, os.path.realpath(folder), tuple(f"{name}==1" for name in modules))
    shelf.finish(wanted, built)
    return folder


def of(image: str, requirements: str = "", *, serves: bool = False) -> Need | None:
    return need(image, requirements, serves=serves)
