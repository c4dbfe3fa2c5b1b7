"""``[house]``, against what there is: a glob that no instance type fits allows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from mlops.check.shapes import shape
from mlops.check.tables import FINDINGS
from mlops.ir import Finding, Where
from mlops.ir.choices import near
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import line_of

_TYPES = ("ProcessingInstanceType", "TrainingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")


def globs_of_nothing(globs: Iterable[str], root: Path) -> Iterator[Finding]:
    shapes = [found for name in _TYPES if (found := shape("sagemaker", name)) is not None]
    known = sorted({str(kind) for found in shapes for kind in found.raw.get("enum", ())})
    for glob in globs:
        if known and not any(fnmatchcase(kind, glob) for kind in known):
            told, file = FINDINGS["A064"], root / CONFIGURATION
            family = near(glob.split(".")[1], sorted({kind.split(".")[1] for kind in known})) if "." in glob else None
            where = Where(str(file), line_of(file.read_text(encoding="utf-8"), ("house", "instances")))
            help_text = f"did you mean ml.{family}.*?" if family else "e.g. ml.m5.*"
            message = f"{glob!r} is the glob of no instance type of this botocore, so that it allows none"
            yield Finding("A064", told.name, told.severity, message, help=help_text, where=where)
