"""Mends that are certain: what they change, and that they change nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.check.fixing import mend
from mlops.check.sources import Opened, open_targets
from mlops.cli import main

DEFINITION = """\
{ "Version" : "2020-12-01",  "Metadata": {},
  "Parameters": [{"Name": "Depth", "Type": "Integer",\t"DefaultValue": 5}],
  "Steps": [
    {"Name": "Prep", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
     "Arguments": {"depth": {"Get": "Parameters.Depth"}, "größe": "\\u00fc", "n": 1.0e0},
     "OutputParameters": [{"OutputName": "rows", "OutputType": "String"}]},
    {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.Prep.OutputParameters['rows']"}},
     "DependsOn": ["Prep"]}
  ]
}
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"DependsOn": ["Prep"]', '"DependsOn": ["Prepp"]'),
        ('"DependsOn": ["Prep"]', '"DependOn" : ["Prep"]'),
        ('"ErrorMessage"', '"ErorMessage"'),
        ("Parameters.Depth", "Parameters.Dpth"),
        ("Steps.Prep.OutputParameters", "Steps.Perp.OutputParameters"),
        ('"OutputType": "String"', '"OutputType": "string"'),
        ('"Type": "Integer"', '"Type": "integer"'),
        ('"DefaultValue"', '"DefaultValu"'),
    ],
)
@pytest.mark.parametrize("form", ["lf", "crlf", "bom", "one line"])
def test_a_definition_is_mended_and_nothing_else_in_it(right: str, wrong: str, form: str, tmp_path: Path) -> None:
    sound = DEFINITION.replace("\n", {"crlf": "\r\n", "one line": " "}.get(form, "\n"))
    content = sound.encode("utf-8-sig" if form == "bom" else "utf-8")
    assert right.encode() in content
    file = tmp_path / "d.json"
    right = right.replace('"DependsOn": ["Prep"]', '"DependsOn" : ["Prep"]') if "DependOn" in wrong else right
    content = content.replace(b'"DependsOn": ["Prep"]', b'"DependsOn" : ["Prep"]') if "DependOn" in wrong else content
    file.write_bytes(content.replace(right.encode(), wrong.encode(), 1))
    assert main(["check", str(file), "--diff"]) == 1
    assert main(["check", str(file), "--fix"]) == 0
    assert file.read_bytes() == content
    assert main(["check", str(file), "--diff"]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        '"DependsOn": ["Prep"], "DependOn": []',  # the right member stands beside it
        '"DependsOn": ["Nowhere"]',
    ],
)
def test_what_is_not_certain_stays(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text(DEFINITION.replace('"DependsOn": ["Prep"]', wrong))
    before = file.read_bytes()
    assert main(["check", str(file), "--fix"]) == 1
    assert file.read_bytes() == before


def test_all_in_one_go_also_inside_of_what_is_renamed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "d.json"
    wrong = DEFINITION.replace('"OutputParameters": [', '"OutputParametrs": [').replace('"String"', '"string"')
    file.write_text(wrong.replace('["Prep"]', '["Prepp"]'))
    assert main(["check", str(file), "--fix"]) == 0
    assert file.read_text() == DEFINITION
    assert "no findings" not in capsys.readouterr().out


PYTHON = [
    ('Training("A", instnce="ml.m5.large", image=IMAGE)', 'Training("A", instance="ml.m5.large", image=IMAGE)'),
    ("Training('A', image=IMAGE, code='trian.py')", "Training('A', image=IMAGE, code='train.py')"),
    (
        'Training("Ä", image=IMAGE, arguments={"Enviroment": {"größe": "1"}})',
        'Training("Ä", image=IMAGE, arguments={"Environment": {"größe": "1"}})',
    ),
    (
        'a = Training("A", image=IMAGE)\nRegisterModel("R", model=a.modle, image=IMAGE, group="g")',
        'a = Training("A", image=IMAGE)\nRegisterModel("R", model=a.model, image=IMAGE, group="g")',
    ),
    (
        'a = Processing("A", image=IMAGE, outputs=["train"])\nTraining("B", image=IMAGE,\n\n'
        '    channels={"x": a.outputs["trian"]},\n)',
        'a = Processing("A", image=IMAGE, outputs=["train"])\nTraining("B", image=IMAGE,\n\n'
        '    channels={"x": a.outputs["train"]},\n)',
    ),
    (
        'Training("Prepare", image=IMAGE)\nTraining("B", image=IMAGE, after=["Preprae"])',
        'Training("Prepare", image=IMAGE)\nTraining("B", image=IMAGE, after=["Prepare"])',
    ),
    (
        'Training("A", image=IMAGE, arguments={"AlgorithmSpecification": {"TrainingInputMode": "file"}})',
        'Training("A", image=IMAGE, arguments={"AlgorithmSpecification": {"TrainingInputMode": "File"}})',
    ),
]


@pytest.mark.parametrize(("wrong", "right"), PYTHON)
def test_a_pipeline_file_is_mended_and_nothing_else_in_it(
    declare: Callable[..., Opened], tmp_path: Path, wrong: str, right: str
) -> None:
    image = 'IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/steps:1"  # a comment\n'
    declare(image + wrong)
    file = tmp_path / "pipeline.py"
    file.chmod(0o755)
    before = file.read_text()
    main(["check", str(file), "--fix"])
    assert file.read_text() == before.replace(
        "\n".join(f"    {line}" if line else "    " for line in wrong.splitlines()),
        "\n".join(f"    {line}" if line else "    " for line in right.splitlines()),
    )
    assert file.read_text() != before
    assert file.stat().st_mode & 0o777 == 0o755
    assert mend(open_targets([str(file)], "local").findings, root=tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        'Training("A", instnce="a", instance="ml.m5.large", image="i:1")',  # both stand there
        'name = "trian.py"\nTraining("A", image="i:1", code=name)',  # the literal stands elsewhere
        'Training("A", image="i:1", code="tri" "an.py")',
        'Training("A", image="i:1", code=f"trian.py")',
        'Training("A", image="i:1", code="trian.py", display_name="trian.py")',  # twice
        'for item in ("x1", "x2"):\n    Training(item, image="i:1", after=["x3"])',
    ],
)
def test_what_python_says_in_other_ways_stays(declare: Callable[..., Opened], tmp_path: Path, body: str) -> None:
    opened = declare(body)
    before = (tmp_path / "pipeline.py").read_text()
    assert mend(opened.findings, root=tmp_path) == []
    assert (tmp_path / "pipeline.py").read_text() == before


def test_a_file_outside_of_the_project_stays(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text(DEFINITION.replace('["Prep"]', '["Prepp"]'))
    findings = open_targets([str(file)], "local").findings
    assert [item.count for item in mend(findings, root=tmp_path)] == [1]
    assert mend(findings, root=tmp_path / "elsewhere") == []


def test_line_ends_of_a_pipeline_file_stay(declare: Callable[..., Opened], tmp_path: Path) -> None:
    declare('Training("A", instnce="ml.m5.large", image="i:1")')
    file = tmp_path / "pipeline.py"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes()
    main(["check", str(file), "--fix"])
    assert file.read_bytes() == before.replace(b"instnce", b"instance")


def test_the_diff_is_one_that_patch_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("d.json").write_text(DEFINITION.replace('["Prep"]', '["Prepp"]').rstrip("\n"))
    assert main(["check", "d.json", "--diff"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("--- a/d.json\n+++ b/d.json\n@@ -5,6 +5,6 @@\n")
    assert '-     "DependsOn": ["Prepp"]}\n+     "DependsOn": ["Prep"]}\n' in out
    assert out.endswith(" }\n\\ No newline at end of file\n")
