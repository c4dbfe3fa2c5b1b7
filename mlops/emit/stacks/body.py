"""The body of a pipeline that a stack makes, and the place of one that does not stand in the template."""

from __future__ import annotations

import hashlib
import json

from mlops.ir import Definition
from mlops.ir.document import document
from mlops.ir.surroundings import Surroundings


def definition_place(definition: Definition, around: Surroundings) -> tuple[str, str]:
    """Bucket and key, by the body's bytes: another body has another key, so that a stack sees it."""
    digest = hashlib.sha256(body_text(definition).encode()).hexdigest()
    return around.bucket, "/".join(filter(None, (around.prefix, "stacks", f"{digest}.json")))


def body_text(definition: Definition) -> str:
    """What `mlops compile` writes."""
    return json.dumps(document(definition), indent=2, ensure_ascii=False) + "\n"
