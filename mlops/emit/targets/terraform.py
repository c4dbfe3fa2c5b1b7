"""A configuration of Terraform, in its JSON syntax: the resources that a template of CloudFormation has."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from mlops.emit.stacks import emitted
from mlops.emit.stacks.body import body_text, definition_place
from mlops.emit.terraform.configuration import Configuration, Written
from mlops.ir.target import Source, Target

BODY_CHARACTERS = 1_048_576
"""As many as CreatePipeline takes in a request (botocore)."""


def _write(source: Source) -> str:
    return json.dumps(_written(source).document, indent=2, ensure_ascii=False) + "\n"


def _written(source: Source) -> Written:
    definition, around = source.checked.definition, source.around()
    described = f"{definition.name or 'pipeline'}, in {around.environment}: written by mlops emit terraform"
    template = emitted.template(source, inline=_is_inline(source))
    return Configuration(template, around, described).written()


def _is_inline(source: Source) -> bool:
    """Terraform composes what is written with combining characters, and the body has to be the one that is compiled."""
    if source.checked.definition.of_resources:
        return True
    text = body_text(source.checked.definition)
    return len(text) <= BODY_CHARACTERS and unicodedata.is_normalized("NFC", text)


def _notes(source: Source) -> Iterator[str]:
    if not _is_inline(source):
        bucket, key = definition_place(source.checked.definition, source.around())
        yield f"the pipeline's body is read at s3://{bucket}/{key}: send there what `mlops compile` writes"
    yield from _written(source).notes
    yield from emitted.notes(source)


TARGET = Target(
    "TARGET as a configuration of Terraform (JSON syntax) for one environment.",
    _write,
    of_an_account=True,
    of_resources=True,
    notes=_notes,
    further=emitted.MACHINE,
)
