"""The schema of model cards, and that whatever is fitted to it fits: by jsonschema, and by CloudFormation's own."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.knowledge.datasheets import questions
from mlops.knowledge.model_cards import fields, fitted, for_package, package_schema, schema

DEFINITIONS = schema()["definitions"]


@cache
def by_cloudformation() -> Any:
    """AWS::SageMaker::ModelCard as cfn-lint has it: a judge that is not ours."""
    cfnlint = pytest.importorskip("cfnlint")
    data = Path(cfnlint.__file__).parent / "data" / "schemas"
    digest = json.loads((data / "providers" / "us-east-1.json").read_text())["AWS::SageMaker::ModelCard"]
    whole = json.loads((data / "resources" / f"{digest}.json").read_text())
    return {"definitions": whole["definitions"], "$ref": "#/definitions/Content"}


FOREIGN = ("CustomDetails", "Metadata")


def pascal(value: Any, inside: str = "") -> Any:
    """CloudFormation's spelling; names of the author's stay."""
    match value:
        case dict():
            named = {
                name if inside in FOREIGN else "".join(map(str.title, name.split("_"))): it
                for name, it in value.items()
            }
            return {name: pascal(item, name) for name, item in named.items()}
        case list():
            return [pascal(item) for item in value]
    return value


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(dict(schema()))
    jsonschema.Draft7Validator.check_schema(dict(package_schema()))
    assert list(package_schema()["properties"]["model_overview"]["properties"]) == ["model_creator", "model_artifact"]


def members(properties: Any, definitions: Any) -> set[str]:
    """All names of members, through references."""
    found: set[str] = set()
    waiting, seen = [properties], set()
    while waiting:
        match waiting.pop():
            case {"$ref": str(name)} if name not in seen:
                seen.add(name)
                waiting.append(definitions[name.rpartition("/")[2]])
            case dict() as kind:
                found |= {*kind.get("properties", ())}
                waiting += [*kind.get("properties", {}).values(), kind.get("items"), *kind.get("anyOf", ())]
    return found


def test_it_knows_what_cloudformation_knows() -> None:
    theirs = by_cloudformation()
    ours = {"".join(map(str.title, name.split("_"))) for name in members(dict(schema()), DEFINITIONS)}
    assert ours == members(theirs, theirs["definitions"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def like(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Near the schema, and often beside it."""
    if "$ref" in kind:
        return like(DEFINITIONS[kind["$ref"].rpartition("/")[2]], depth)
    if "anyOf" in kind:
        return st.one_of([like(one, depth) for one in kind["anyOf"]])
    match kind["type"]:
        case "object":
            known = {name: like(told, depth + 1) | JSON for name, told in kind.get("properties", {}).items()}
            return st.fixed_dictionaries({}, optional=known) if known else st.dictionaries(st.text(max_size=4), JSON)
        case "array":
            return st.lists(like(kind["items"], depth + 1) | JSON, max_size=4)
        case "string":
            return st.sampled_from(kind["enum"]) if "enum" in kind else st.text() | st.just("x" * 3000)
    return st.floats() | st.integers()


CARDS = like({"type": "object", "properties": schema()["properties"]})


@given(CARDS | JSON.filter(lambda value: isinstance(value, dict)))
def test_whatever_is_fitted_fits(card: Any) -> None:
    found = fitted(card)
    jsonschema.Draft7Validator(dict(schema())).validate(found)
    jsonschema.Draft7Validator(by_cloudformation()).validate(pascal(found))
    jsonschema.Draft7Validator(dict(package_schema())).validate(for_package(card))
    assert fitted(found) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"model_overview": {"model_version": 0, "model_name": "a"}}, {"model_overview": {"model_name": "a"}}),
        ({"intended_uses": {"risk_rating": "high"}}, {"intended_uses": {}}),
        (
            {"additional_information": {"custom_details": {"": "a", "1": "b", "Team 1": "c"}}},
            {"additional_information": {"custom_details": {"Team 1": "c"}}},
        ),
        ({"intended_uses": {"risk_rating": "High"}, "other": 1}, {"intended_uses": {"risk_rating": "High"}}),
        (
            {"evaluation_details": [{"name": "a", "datasets": ["x"] * 20}, {"datasets": []}]},
            {"evaluation_details": [{"name": "a", "datasets": ["x"] * 10}]},
        ),
        (
            {"business_details": {"line_of_business": "x" * 3000}},
            {"business_details": {"line_of_business": "x" * 2047 + "…"}},
        ),
    ],
)
def test_what_does_not_fit_is_cut_or_left_out(given: Any, found: Any) -> None:
    assert fitted(given) == found


def test_each_text_has_a_name_of_its_own() -> None:
    assert {"purpose_of_model", "risk_rating", "ethical_considerations"} <= {*fields()}
    assert not {*fields()} & {"model_id", "model_name", "model_package_arn"}
    names = [item.name for item in questions()]
    assert len(names) == len({*names}) and {item.section for item in questions()} >= {"Motivation", "Maintenance"}
