"""What CloudFormation takes in one template (guide: CloudFormation quotas)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir import UsageError

INLINE_BYTES = 51_200
"""A template of so many bytes is taken without a bucket; in a larger one the pipeline's body is an object of its
own."""
IN_A_BUCKET_BYTES = 1_000_000
MOST: Mapping[str, int] = {"Resources": 500, "Parameters": 200, "Outputs": 200}


def need_room(name: str, template: Mapping[str, Any], text: str) -> None:
    """``name`` is of the pipeline, or of the file. Raises UsageError with everything of which there is too much."""
    told = too_much(template, text)
    if told:
        raise UsageError(
            f"the template of {name} has more than CloudFormation takes: {'; '.join(told)}",
            hint="`--nested FOLDER` writes a root with stacks below it, `--split 1` the first of several and how "
            "many there are; or divide what is declared among several files",
        )


def too_much(template: Mapping[str, Any], text: str) -> list[str]:
    counted = {section: len(template.get(section, ())) for section in MOST}
    told = [
        f"{count} {section}, at most {MOST[section]}" for section, count in counted.items() if count > MOST[section]
    ]
    size = len(text.encode())
    if size > IN_A_BUCKET_BYTES:
        told.append(f"{size:,} bytes, at most {IN_A_BUCKET_BYTES:,}")
    return told
