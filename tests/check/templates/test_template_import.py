"""The pipeline of a template becomes Python that compiles to its body."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.check.programs import compile_program
from mlops.emit.targets.definition_json import emit
from mlops.ir import Event, UsageError, unheard
from mlops.ir.reader import read
from mlops.use_cases.import_ import as_python, from_template
from mlops.use_cases.news import Said
from mlops.use_cases.show import opened
from tests.emit.stacked import STACKS
from tests.emit.templates import read as read_template

SOUND = Path(__file__).with_name("sound.yaml")


def test_an_emitted_template_comes_back() -> None:
    file = STACKS / "wine.yaml"
    definition = from_template(str(file), None, unheard)
    properties = read_template(file.read_text())["Resources"]["Pipeline"]["Properties"]
    body = properties["PipelineDefinition"]["PipelineDefinitionBody"]
    assert (definition.name, dict(definition.tags)) == ("wine", {"team": "growth"})
    again, mistakes = compile_program(as_python(definition))
    expected, _ = read(body)
    assert not mistakes
    assert again is not None
    assert expected is not None
    assert emit(again) == emit(expected) == body


def test_what_else_serves_is_told() -> None:
    said: list[Event] = []
    definition = from_template(str(SOUND), "Pipeline", said.append)
    assert (definition.name, [step.name for step in definition.steps]) == ("churn", ["Stop"])
    told = [item.text for item in said if isinstance(item, Said)]
    assert [line.split()[1] for line in told] == ["Notebook", "Model", "Line", "Config", "Endpoint"]


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("Resources: {A: {Type: AWS::SNS::Topic}}", None, "no pipeline"),
        (SOUND.read_text(), "other", "no pipeline other"),
        (SOUND.read_text().replace("Body: |", "Body: !Sub |").replace('"no"', '"${Subnet}"'), None, "does not stand"),
        ("Resources: {", None, "no YAML"),
    ],
)
def test_what_cannot_be_taken_is_told(text: str, wanted: str | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        from_template(str(tmp_path / "template.yaml"), wanted, unheard)


def test_a_template_is_not_shown_as_if_it_had_no_steps() -> None:
    with pytest.raises(UsageError, match="is a template"):
        opened(str(SOUND), "local", unheard)
