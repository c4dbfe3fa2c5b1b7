"""Which names a pipeline may have. botocore: PipelineName."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_NO_NAME = re.compile(r"[^a-zA-Z0-9]")
_LONGEST = 256


def may_be_a_name(text: str) -> bool:
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def nearest_name(text: str) -> str:
    """The text itself where a pipeline may be called so.

    >>> nearest_name("my_pipeline.v2"), nearest_name("churn--v2"), nearest_name("prévision"), nearest_name("...")
    ('my-pipeline-v2', 'churn--v2', 'prevision', 'pipeline')
    """
    if may_be_a_name(text):
        return text
    import unicodedata  # hardly any name needs it

    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    parts = [part for part in _NO_NAME.sub("-", letters).split("-") if part]
    return "-".join(parts)[:_LONGEST].strip("-") or "pipeline"
