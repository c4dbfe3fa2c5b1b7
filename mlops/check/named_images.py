"""Which image a member of a request names."""

from __future__ import annotations

from mlops.check.expressions import literal
from mlops.check.images import Image, parse
from mlops.check.subject import Subject
from mlops.ir import Value


def named_image(subject: Subject, value: Value) -> Image | None:
    """With every parameter at its default; None where it is not known, or none in ECR."""
    text = literal(subject, value)
    return parse(text) if isinstance(text, str) else None
