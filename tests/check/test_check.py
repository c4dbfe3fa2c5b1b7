"""The whole of the checker: what it merges, keeps silent about, and survives."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_step_types import TYPES
from sound_definition import SOUND, checked, findings, get, spoilt

from mlops.check import check, step_types
from mlops.check.explain import explain, find_story
from mlops.check.many import AT_LEAST
from mlops.check.nearest import did_you_mean
from mlops.check.plugged import all_rules
from mlops.check.shapes import compiled_pattern, shape
from mlops.check.sources import open_targets
from mlops.ir import Definition, Finding, Join, Parameter, Ref, Severity, Step, Unknown, UsageError, Where
from mlops.ir.reader import read
from tests.laws import examples


def test_findings_of_others_come_first_and_count_once() -> None:
    given_finding = Finding("D001", "misuse", Severity.ERROR, "no", where=Where("a.py", 1))
    found = check(Definition("p", steps=(Step("A", "Lambda", {}),)), findings=[given_finding] * 2, types=TYPES)
    assert [item.code for item in found.findings].count("D001") == 1
    assert not found.ok
    assert list(found.findings) == sorted(found.findings, key=lambda item: item.sort_key)


def test_a_finding_has_the_place_of_its_step_or_parameter() -> None:
    line_3, line_9 = Where("p.py", 3), Where("p.py", 9)
    definition = Definition(
        "p",
        parameters=(Parameter("Depth", "Number", {}, line_3),),
        steps=(Step("A", "Training", {}, where=line_9),),
    )
    places = {item.code: item.where for item in check(definition, types=TYPES).findings}
    assert places["P403"] == line_3
    assert places["S202"] == line_9


@pytest.mark.parametrize(
    "step",
    [
        Step("A", "Training", Unknown()),
        Step("A", "Lambda", {"x": Unknown()}, {"FunctionArn": Unknown(), "DependsOn": Unknown()}),
        Step("A", "Processing", Unknown(), {"CacheConfig": Unknown(), "PropertyFiles": Unknown()}),
    ],
    ids=["arguments", "values", "members"],
)
def test_what_was_reported_already_is_not_spoken_of(step: Step) -> None:
    assert check(Definition("p", steps=(step,)), types=TYPES).findings == ()


def test_nothing_is_said_of_references_to_a_reported_step() -> None:
    reader = Step("B", "Lambda", {"x": Ref("Steps.A.Nothing.AtAll")}, {"FunctionArn": Unknown()})
    assert check(Definition("p", steps=(Step("A", "Training", Unknown()), reader)), types=TYPES).findings == ()


def test_the_document_is_not_changed() -> None:
    before = json.dumps(SOUND)
    checked(SOUND)
    assert json.dumps(SOUND) == before


def test_the_same_findings_every_time() -> None:
    document = spoilt({"Train.Type": "Trainning", "Score:x": get("Parameters.No"), "Depth.Type": "Number"})
    assert findings(document) == findings(document)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
) | st.sampled_from(
    [{"Get": "Steps.Prepare"}, {"Get": "Parameters.Depth"}, {"Get": 1}, {"Std:Join": {}}, [[]], {"": {}}]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _places(item, (*path, index))
    return found


_PLACES = _places(dict(SOUND))[1:]


@settings(max_examples=examples(15), deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _JSON), min_size=1, max_size=4))
def test_no_definition_makes_it_raise(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = json.loads(json.dumps(SOUND))
    for path, value in changes:
        target = document
        try:
            for part in path[:-1]:
                target = target[part]
            target[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    definition, found = read(json.dumps(document))
    if definition is not None:
        check(definition, findings=found, types=TYPES)


def test_every_member_may_be_anything() -> None:
    chance = random.Random(7)
    for path in chance.sample(_PLACES, 40):
        for value in chance.sample((None, 3, "x", [], {}, [{}], {"Get": "Steps.Train.x"}), 2):
            document = json.loads(json.dumps(SOUND))
            target = document
            for part in path[:-1]:
                target = target[part]
            target[path[-1]] = value
            definition, _ = read(json.dumps(document))
            assert definition is not None
            check(definition, types=TYPES)


_MARK = "here stands what was reported"


def _unknown(value: Any) -> Any:
    """The IR value with the mark made an Unknown."""
    if isinstance(value, dict):
        return {key: _unknown(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_unknown(item) for item in value)
    if isinstance(value, Join):
        return replace(value, values=_unknown(value.values))
    return Unknown() if value == _MARK else value


def _marked(step: Step) -> Step:
    blocks = tuple(replace(block, steps=tuple(_marked(item) for item in block.steps)) for block in step.blocks)
    return replace(step, arguments=_unknown(step.arguments), members=_unknown(step.members), blocks=blocks)


_VALUES = [path for path in _PLACES if path[0] == "Steps" and path[-1] not in ("Name", "Type", "IfSteps", "ElseSteps")]


@pytest.mark.parametrize("seed", range(6))
def test_a_reported_value_anywhere_gives_no_second_error(seed: int) -> None:
    for path in random.Random(seed).sample(_VALUES, 12):
        if path[-1] == "ForEachBody" or (isinstance(path[-1], int) and path[-2].endswith(("Steps", "Body"))):
            continue  # a step is never an unknown value
        document = json.loads(json.dumps(SOUND))
        target = document
        for part in path[:-1]:
            target = target[part]
        if "Get" in target or any(str(part).startswith("Std:") for part in path):
            continue  # the parts of an expression are no values
        target[path[-1]] = _MARK
        definition, _ = read(json.dumps(document))
        assert definition is not None
        definition = replace(definition, steps=tuple(_marked(item) for item in definition.steps))
        found = check(definition, types=TYPES).findings
        assert [item for item in found if item.severity is Severity.ERROR] == [], path


def test_step_types_are_found_by_name() -> None:
    found = step_types()
    assert {"Processing", "Training", "Condition", "Fail"} <= found.keys()
    assert all(name == item.type for name, item in found.items())


@pytest.mark.parametrize("item", TYPES.values(), ids=lambda item: item.type)
def test_step_types_name_shapes_that_exist(item: Any) -> None:
    for name in (item.request, item.response, *item.extra_response.values()):
        assert name is None or shape(item.service, name) is not None
    if item.request:
        request = shape(item.service, item.request)
        assert request is not None
        assert item.omits <= set(request.members)


@pytest.mark.parametrize("code", ["G104", "g104", "dependency-cycle"])
def test_explain(code: str) -> None:
    assert explain(code).startswith("G104 dependency-cycle (error)\n\nSteps wait for each other")


def test_explain_of_nothing_known() -> None:
    with pytest.raises(UsageError) as caught:
        find_story("dependency-cycel")
    assert caught.value.hint == "did you mean G104 (dependency-cycle)?"


def test_codes_and_names_are_unique() -> None:
    rules = all_rules()
    assert len({rule.name for rule in rules}) == len(rules)
    assert [rule.code for rule in rules] == sorted({rule.code for rule in rules})


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("train", ["Train", "Test"], "did you mean 'Train'?"),
        ("zzz", ["Train", "Test"], "known here: Test, Train"),
        ("zzz", [], None),
        ("x" * 10_000, ["Train"], "known here: Train"),
    ],
)
def test_did_you_mean(name: str, known: list[str], said: str | None) -> None:
    assert did_you_mean(name, known) == said


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "größe 1", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "a#b", False),
        (r"[a-z]+", "ab\n", False),
        (r".*", "a\nb", True),
    ],
)
def test_patterns_of_the_service_model(pattern: str, text: str, fits: bool) -> None:
    compiled = compiled_pattern(pattern)
    assert compiled is not None
    assert bool(compiled.fullmatch(text)) is fits


def test_a_pattern_that_python_cannot_say_is_not_checked() -> None:
    assert compiled_pattern(r"\p{IsHiragana}*(") is None


def test_what_is_no_step_is_said_once_and_shifts_nothing() -> None:
    inner = '{"Name": "D", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "Colour": 1}'
    text = (
        '{"Version": "2020-12-01", "Metadata": {}, "Parameters": [3, {"Name": "A", "Type": "Strin"}],'
        '"Steps": [7, null,'
        '{"Name": 5, "Type": "Fail", "Arguments": {"ErrorMessage": "x"}},'
        '{"Name": "C", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": ["x", ' + inner + "]}}]}"
    )
    definition, problems = read(text)
    assert definition is not None
    found = {(item.code, item.path) for item in check(definition, findings=problems).findings}
    assert {path for code, path in found if code == "J006"} == {
        "/Parameters/0", "/Steps/0", "/Steps/1", "/Steps/2/Name", "/Steps/3/Arguments/IfSteps/0",
    }  # fmt: skip
    assert {("P403", "/Parameters/1/Type"), ("E521", "/Steps/3/Arguments/IfSteps/1/Colour")} <= found
    assert {code for code, _ in found} <= {"J006", "P403", "P409", "E521", "C601"}


def test_many_definitions_give_what_each_gives_alone(tmp_path: Path) -> None:
    """Enough of them to be shared out among processes."""
    for number in range(AT_LEAST + 6):
        document = spoilt({"Train.Type": f"Trainning{number}"})
        (tmp_path / f"{number:02}.json").write_text(json.dumps(document))
    (tmp_path / "99.json").write_text('{"Version": "2020-12-01", "Steps": [')
    together = open_targets([str(tmp_path)], "local")
    alone = [open_targets([file], "local") for file in together.files]
    assert together.findings == tuple(finding for opened in alone for finding in opened.findings)
    assert [item.definition for item in together.pipelines] == [one.definition for it in alone for one in it.pipelines]
    assert all("Training" in item.step_types for item in together.pipelines)


def test_of_one_value_one_finding() -> None:
    """What a value would mean was told beside that no request may have it: 500 s are less than the waits, too."""
    place = "Live:DeploymentConfig/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds"
    assert [item.code for item in findings(spoilt({place: 500}))] == ["S207"]
