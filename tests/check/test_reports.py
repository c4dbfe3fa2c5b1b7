"""Each format of a report, for findings with and without a place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import junitparser
import pytest

from mlops.check.explain import stories
from mlops.check.reports import formats, report
from mlops.check.reports import json as json_report
from mlops.check.reports.text import render as text
from mlops.check.sources import Opened
from mlops.cli import main
from mlops.ir import Finding, Severity, UsageError, Where

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "pipelines" / "churn.py"
    source.parent.mkdir()
    source.write_text("import mlops\n\n    train = Training(\n", encoding="utf-8")
    return [
        Finding("S204", "argument-choice", ERROR, "'a' is not allowed", "did you mean 'b'?", "Train",
                "/Steps/0/Arguments/X", Where(str(source), 3)),
        Finding("P409", "unused-parameter", INFO, "nothing reads it", path="/Parameters/0",
                where=Where(str(tmp_path / "d.json"), 7, 3)),
        Finding("E503", "no-steps", WARNING, "100% <empty>\n\x1b[31mred", path="/Steps"),
    ]  # fmt: skip


def test_text(found: list[Finding]) -> None:
    assert text(found) == (
        "pipelines/churn.py:3: error S204 [Train] 'a' is not allowed\n"
        "        train = Training(\n"
        "        ^\n"
        "    at /Steps/0/Arguments/X\n"
        "    help: did you mean 'b'?\n"
        "d.json:7:3: info P409 nothing reads it\n"
        "    at /Parameters/0\n"
        "/Steps: warning E503 100% <empty>\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31mred\n"
        "1 error, 1 warning, 1 info\n"
    )


def test_text_shows_where_a_long_line_is_meant_and_no_line_with_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "d.json"
    file.write_text("x" * 1000 + '"DependOn": "hunter2"' + "y" * 1000, encoding="utf-8")
    far = Finding("E521", "unknown-step-member", ERROR, "no", where=Where(str(file), 1, 1001))
    assert text([far]).splitlines()[1:3] == [
        "    …" + "x" * 40 + '"DependOn": "hunter2"' + "y" * 99,
        "    " + " " * 41 + "^",
    ]
    secret = Finding("X840", "secret", WARNING, "looks like one", where=Where(str(file), 1, 1014))
    assert "hunter2" not in text([far, secret])


def test_text_has_colours_only_when_asked(found: list[Finding]) -> None:
    assert "\x1b" not in text(found)
    assert text(found, colour=True).count("\x1b[1;") == 3


def test_text_of_nothing() -> None:
    assert text([]) == "no findings\n"


def test_json(found: list[Finding]) -> None:
    document = json.loads(json_report.render(found, files=4))
    assert document["summary"] == {"errors": 1, "warnings": 1, "files": 4}
    assert document["findings"][0] == {
        "code": "S204", "name": "argument-choice", "severity": "error", "message": "'a' is not allowed",
        "help": "did you mean 'b'?", "step": "Train", "path": "/Steps/0/Arguments/X", "file": "pipelines/churn.py",
        "line": 3, "column": None,
    }  # fmt: skip
    assert document["findings"][2]["file"] is None


def test_sarif(found: list[Finding]) -> None:
    document = json.loads(report("sarif")(found))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E503", "P409", "S204"]
    assert [result["level"] for result in run["results"]] == ["error", "note", "warning"]
    assert all(run["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] == item["ruleId"] for item in run["results"])
    location = run["results"][1]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "d.json"}, "region": {"startLine": 7, "startColumn": 3}}


def test_github(found: list[Finding]) -> None:
    assert report("github")(found) == (
        "::error file=pipelines/churn.py,line=3,title=S204 argument-choice::"
        "[Train] 'a' is not allowed (did you mean 'b'?)\n"
        "::notice file=d.json,line=7,col=3,title=P409 unused-parameter::nothing reads it\n"
        "::warning title=E503 no-steps::100%25 <empty>%0A\x1b[31mred\n"
    )


def test_junit(found: list[Finding]) -> None:
    root = ElementTree.fromstring(report("junit")(found))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [child.tag for case in suite for child in case] == ["failure", "system-out", "system-out"]


def test_github_lands_on_the_line_relative_to_the_repository(
    declare: Callable[..., Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called below the repository's root, on a pipeline whose fault stands three lines below its step's."""
    declare('Training(\n    "A",\n    image="i:1",\n    instance="ml.m5.huge",\n)')
    (tmp_path / "ml" / "deep").mkdir(parents=True)
    moved = (tmp_path / "pipeline.py").rename(tmp_path / "ml" / "pipeline.py")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "ml" / "deep")
    assert main(["check", "../pipeline.py", "--format", "github"]) == 1
    (command,) = [line for line in capsys.readouterr().out.splitlines() if "S204" in line]
    match = re.match(r"::error file=([^,]+),line=(\d+),col=(\d+),title=S204 argument-choice::", command)
    assert match is not None
    assert match[1] == "ml/pipeline.py"
    line = moved.read_text().splitlines()[int(match[2]) - 1]
    assert line[int(match[3]) - 1 :].startswith('"ml.m5.huge"')


SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json").read_text())


def every_code() -> list[Finding]:
    return [Finding(code, story.name, story.severity, story.text, story.source, "S\u00fc", f"/Steps/{number}",
                    Where("/a b/\u00fc.py", number + 1, number or None))
            for number, (code, story) in enumerate(stories().items())]  # fmt: skip


def test_sarif_is_what_its_published_schema_says(found: list[Finding]) -> None:
    validator = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    strange = Finding("X", "x", ERROR, "\x00", "\x00", "\x00", "/\x00", Where("-", None))
    for findings in ([], found, [strange], every_code()):
        document = json.loads(report("sarif")(findings))
        assert [error.message for error in validator.iter_errors(document)] == []
        assert len(document["runs"][0]["results"]) == len(findings)
    assert list(validator.iter_errors({**document, "version": "2.0.0"}))


def test_sarif_carries_the_rules_story() -> None:
    (rule,) = [rule for rule in json.loads(report("sarif")(every_code()))["runs"][0]["tool"]["driver"]["rules"]
               if rule["id"] == "G104"]  # fmt: skip
    assert rule["fullDescription"]["text"].startswith("Steps wait for each other")
    assert "Bad:" in rule["help"]["text"]
    assert rule["defaultConfiguration"] == {"level": "error"}


def test_junit_is_read_by_a_reader(found: list[Finding], tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(report("junit")([*found, *every_code()]), encoding="utf-8")
    read = junitparser.JUnitXml.fromfile(str(file))
    (suite,) = read
    cases = list(suite)
    errors = [item for item in (*found, *every_code()) if item.severity is ERROR]
    assert (suite.tests, suite.failures, len(cases)) == (len(found) + len(every_code()), len(errors), suite.tests)
    assert (cases[0].name, cases[0].classname) == ("pipelines/churn.py:3", "S204 argument-choice")
    assert cases[0].result[0].message == "'a' is not allowed"
    assert "did you mean 'b'?" in cases[0].result[0].text
    assert [bool(case.result) for case in cases[1:3]] == [False, False]
    file.write_text(report("junit")([]), encoding="utf-8")
    assert junitparser.JUnitXml.fromfile(str(file)).failures == 0


@pytest.mark.parametrize("name", formats())
def test_every_format_takes_nothing_and_anything(name: str, found: list[Finding]) -> None:
    assert isinstance(report(name)([]), str)
    strange = Finding("X", "x", ERROR, "\x00\ud800\uffff", "\x00", "\x00", "/\x00", Where("-", None))
    assert report(name)([strange, *found])


def test_formats() -> None:
    assert formats() == ("github", "json", "junit", "sarif", "text")
    with pytest.raises(UsageError):
        report("yaml")
