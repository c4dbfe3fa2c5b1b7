"""Image URIs taken apart, and what is known of AWS's own images from their names."""

from __future__ import annotations

import re

from mlops.ir.dataclass import dataclass
from mlops.knowledge.ecr_images import in_ecr

_FRAMEWORK = re.compile(
    r"(?P<framework>pytorch|tensorflow|mxnet|huggingface-(pytorch|tensorflow)(-tgi|-trcomp)?)"
    r"-(?P<scope>training|inference)(?P<neuron>-neuronx?)?(-graviton|-eia)?"
)
_PROCESSOR = re.compile(r"(^|-)(?P<processor>cpu|gpu)(-|$)")
_PYTHON = re.compile(r"-(?P<python>py\d+)(-|$)")


@dataclass(frozen=True, slots=True)
class Image:
    """``framework``, ``scope`` (training, inference), ``processor`` (cpu, gpu, neuron) and ``python`` are of AWS's deep
    learning containers and None for others; ``version`` is the first part of their tag."""

    account: str
    region: str
    repository: str
    tag: str | None
    framework: str | None = None
    scope: str | None = None
    processor: str | None = None
    version: str | None = None
    python: str | None = None


def parse(uri: str) -> Image | None:
    """None where it is no image in ECR.

    >>> parse("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-gpu-py311").processor
    'gpu'
    """
    match = in_ecr(uri)
    if match is None:
        return None
    repository, tag = match["repository"], match["tag"]
    known = _FRAMEWORK.fullmatch(repository)
    if known is None or tag is None:
        return Image(match["account"], match["region"], repository, tag)
    named, python = _PROCESSOR.search(tag), _PYTHON.search(tag)
    return Image(
        match["account"],
        match["region"],
        repository,
        tag,
        framework=known["framework"],
        scope=known["scope"],
        processor="neuron" if known["neuron"] else named["processor"] if named else None,
        version=tag.partition("-")[0],
        python=python["python"] if python else None,
    )
