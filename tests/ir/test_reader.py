"""The reader takes anything: what it reads is written back as the same JSON value, what it cannot read is a finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.ir.document import document
from mlops.ir.reader import MAX_DEPTH, read

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
expressions = st.one_of(
    st.just({"Get": "Parameters.X"}),
    st.just({"Get": 5}),
    st.just({"Get": "Steps.A.B['c'][0]", "Other": 1}),
    st.just({"Std:Join": {"On": "/", "Values": ["a", {"Get": "Execution.PipelineName"}, None]}}),
    st.just({"Std:Join": {"On": "/"}}),
    st.just({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.q"}, "Path": "a.b"}}),
    st.just({"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "", "Values": []}}, "Path": "a"}}),
    st.just({"Std:Unheard": {}}),
)
arguments = st.dictionaries(texts, st.one_of(plain, expressions), max_size=4)


@st.composite
def steps(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    step: dict[str, Any] = {"Name": draw(texts), "Type": draw(st.sampled_from(["Training", "Condition", "Unheard"]))}
    if draw(st.booleans()):
        step["Arguments"] = draw(arguments)
        if depth and draw(st.booleans()):
            step["Arguments"]["IfSteps"] = draw(st.lists(steps(depth=depth - 1), max_size=2))
    extra = draw(st.dictionaries(st.sampled_from(["DependsOn", "CacheConfig", "Unheard"]), plain, max_size=2))
    return {**step, **extra}


definitions = st.fixed_dictionaries(
    {"Version": st.just("2020-12-01"), "Steps": st.lists(steps(), max_size=3)},
    optional={
        "Metadata": plain,
        "Unheard": plain,
        "Parameters": st.lists(
            st.fixed_dictionaries(
                {"Name": texts}, optional={"Type": st.sampled_from(["String", "Float"]), "DefaultValue": plain}
            ),
            max_size=2,
        ),
    },
)


@given(definitions)
def test_read_and_written_again_it_is_the_same_value(raw: dict[str, Any]) -> None:
    definition, findings = read(json.dumps(raw))
    assert definition is not None
    assert findings == ()
    # As text, so that 1, 1.0 and true stay apart.
    assert json.dumps(document(definition), sort_keys=True) == json.dumps(raw, sort_keys=True)


@given(st.one_of(st.text(), st.binary(), plain.map(json.dumps), definitions.map(lambda raw: json.dumps(raw)[:-3])))
def test_any_input_gives_a_definition_or_a_finding(text: str | bytes) -> None:
    definition, findings = read(text)
    assert definition is not None or findings


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (b"\xff{}", "J001", None),
        ("[" * (MAX_DEPTH + 1), "J002", 1),
        ("[" * 1_000_000, "J002", 1),
        ('{"Steps": [\n{]}', "J003", 2),
        ("", "J003", 1),
        ('{"a": 1e400}', "J004", None),
        ('{"a": NaN}', "J004", None),
        ('{"a": ' + "9" * 5000 + "}", "J004", None),
        ("[]", "J005", 1),
        ('{"Steps": {}}', "J006", 1),
        ('{"Steps": [\n 5]}', "J006", 2),
        ('{"Steps": [{"Name": "A"}]}', "J006", 1),
        ('{"Steps": [],\n "Steps": []}', "J007", 2),
        ('{"Steps": [],\n "a": "\\ud800"}', "J008", 2),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_is_told(text: str | bytes, code: str, line: int | None) -> None:
    _, findings = read(text, "x.json")
    assert [finding.code for finding in findings] == [code]
    assert findings[0].where.line == line


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read(b'\xef\xbb\xbf{"Steps": []}')[1] == ()


def test_parameters_may_leave_out_their_type() -> None:
    definition, _ = read('{"Parameters": [{"Name": "A"}], "Steps": []}')
    assert definition is not None
    assert definition.parameters[0].type == "String"
    assert document(definition)["Parameters"] == [{"Name": "A"}]
