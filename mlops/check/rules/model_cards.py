"""The card that a registration lays beside the model."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.members import get

_SECTIONS = (
    "model_overview", "model_package_details", "intended_uses", "business_details", "training_details",
    "evaluation_details", "additional_information",
)  # fmt: skip
_RATINGS = ("High", "Medium", "Low", "Unknown")


@rule(
    "X955",
    "model-card-content",
    Severity.ERROR,
    source="CreateModelPackage API: ModelCardContent 'must follow the schema'; AWS docs: model card JSON schema",
)
def model_card_content(subject: Subject) -> Iterator[Fault]:
    """The content of a model card is no JSON object, or has a risk rating that there is not; or (a warning) a section
    that the schema does not know.

    Bad:  "ModelCardContent": "a model of demand"
    Good: "ModelCardContent": "{\\"model_overview\\": {\\"model_description\\": \\"demand\\"}}"
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        text = get(arguments, "ModelCard", "ModelCardContent")
        if not isinstance(text, str):
            continue
        at = f"{placed.pointer}/Arguments/ModelCard/ModelCardContent"
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            yield Fault(at, f"{shown(text)} is no JSON", "write an object of sections, as text", placed)
            continue
        if not isinstance(content, dict):
            yield Fault(at, "the card is no object", 'e.g. "{\\"model_overview\\": {...}}"', placed)
            continue
        for name in content.keys() - set(_SECTIONS):
            help_text = did_you_mean(name, _SECTIONS) or f"it has {', '.join(_SECTIONS)}"
            message = f"a model card has no section {shown(name)}"
            yield Fault(at, message, help_text, placed, severity=Severity.WARNING)
        uses = content.get("intended_uses")
        rating = uses.get("risk_rating") if isinstance(uses, dict) else None
        if isinstance(rating, str) and rating not in _RATINGS:
            help_text = did_you_mean(rating, _RATINGS) or f"one of {', '.join(_RATINGS)}"
            yield Fault(at, f"{shown(rating)} is no risk_rating", help_text, placed)
