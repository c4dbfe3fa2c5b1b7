"""Images of Amazon's whose own command is computed here by a program of ours (``mlops/monitor``)."""

from __future__ import annotations

from mlops.ir.image_uri import ecr_image

_PROGRAMS = {"sagemaker-model-monitor-analyzer": "quality", "sagemaker-clarify-processing": "clarify"}
"""By repository, whatever the registry's account: a region may be newer than any list of ours."""


def program_here(image: object) -> str | None:
    """The program's word for what the image does without a command; None where there is none.

    >>> program_here("156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer")
    'quality'
    """
    found = ecr_image(image) if isinstance(image, str) else None
    return _PROGRAMS.get(found.repository) if found is not None else None
