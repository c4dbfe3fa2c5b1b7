"""Which members of a card nobody filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from mlops.knowledge.model_cards import fields, schema

USUAL = (
    "model_description",
    "model_owner",
    "purpose_of_model",
    "intended_uses",
    "risk_rating",
    "explanations_for_risk_rating",
    "training_datasets",
    "evaluation_details",
    "ethical_considerations",
    "caveats_and_recommendations",
)
"""What is asked for where nothing else is said: what Mitchell et al., "Model Cards for Model Reporting" (2019), ask of
all, in the words of SageMaker's schema."""
_SAYS_NOTHING = ("Unknown",)


@cache
def names() -> tuple[str, ...]:
    """Of all members that can be asked for, in the order of the card."""
    return tuple(dict.fromkeys(_members(schema()["properties"])))


def _members(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in properties.items():
        if "properties" in kind:
            yield from _members(kind["properties"])
        else:
            yield name


def missing(content: Mapping[str, Any], wanted: Iterable[str] = USUAL) -> tuple[str, ...]:
    return tuple(name for name in wanted if not any(map(_says, _values(content, name))))


def _says(value: Any) -> bool:
    return bool(value) and value not in _SAYS_NOTHING and not (isinstance(value, str) and not value.strip())


def _values(value: Any, name: str) -> Iterator[Any]:
    """What stands under that name; of a section that is called like its text, the text."""
    for key, item in value.items() if isinstance(value, Mapping) else ():
        if key == name and not (isinstance(item, Mapping) and name in fields()):
            yield item
        yield from _values(item, name)
