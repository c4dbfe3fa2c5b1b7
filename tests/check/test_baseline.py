"""A baseline keeps quiet about old findings, and about nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.cli import main

OLD = '{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "Colour": 1}'
NEW = '{"Name": "B", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "Shape": 1}'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def define(*steps: str, name: str = "d.json", before: str = "") -> None:
    text = f'{{"Version": "2020-12-01",{before} "Metadata": {{}}, "Steps": [{", ".join(steps)}]}}'
    Path(name).write_text(text)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [f"{item['code']} {item['step']}" for item in json.loads(capsys.readouterr().out)["findings"]]


CHECK = ["check", "d.json", "--baseline", "known.json"]


def test_old_findings_are_quiet_and_new_ones_are_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(OLD)
    assert main(["check", "d.json"]) == 1
    assert main([*CHECK, "--write-baseline"]) == 0
    assert main(CHECK) == 0
    define(NEW, OLD, before="\n\n\n")
    capsys.readouterr()
    assert main([*CHECK, "--format", "json"]) == 1
    assert told(capsys) == ["E521 B"]


def test_the_same_fault_twice_is_new_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    item = '{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "DependsOn": ["No"]}'
    define(item)
    main([*CHECK, "--write-baseline"])
    define(item, item)
    capsys.readouterr()
    main([*CHECK, "--format", "json"])
    assert told(capsys).count("G102 A") == 1


def test_what_is_gone_is_told_and_let_go(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(OLD, NEW)
    main([*CHECK, "--write-baseline"])
    define(NEW)
    capsys.readouterr()
    assert main(CHECK) == 0
    assert "E521 in d.json is not found any more" in capsys.readouterr().err
    assert main([*CHECK, "--write-baseline"]) == 0
    assert "1 let go" in capsys.readouterr().err
    assert [item["step"] for item in json.loads(Path("known.json").read_text())["findings"]] == ["B"]
    assert main(CHECK) == 0
    assert "any more" not in capsys.readouterr().err


def test_other_files_stay_in_it_until_they_are_deleted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(OLD)
    define(NEW, name="e.json")
    assert main(["check", ".", "--baseline", "known.json", "--write-baseline"]) == 0
    assert main([*CHECK, "--write-baseline"]) == 0
    assert len(json.loads(Path("known.json").read_text())["findings"]) == 2
    Path("e.json").unlink()
    assert main([*CHECK, "--write-baseline"]) == 0
    assert len(json.loads(Path("known.json").read_text())["findings"]) == 1


def test_the_same_findings_give_the_same_bytes(project: Path) -> None:
    define(OLD, NEW)
    main([*CHECK, "--write-baseline"])
    first = Path("known.json").read_bytes()
    define(NEW, OLD, before="\n")
    main([*CHECK, "--write-baseline"])
    assert Path("known.json").read_bytes() == first
    assert sorted(path.name for path in project.iterdir()) == ["d.json", "known.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1, "findings": [1]}', '{"version": 1, "findings": 1}',
     '{"version": 1, "findings": [{"file": "", "code": "", "step": "", "place": "", "message": "", "count": 0}]}',
     '{"version": 1, "findings": [{"file": 1, "code": "", "step": "", "place": "", "message": "", "count": 1}]}'],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_baseline(project: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    define(OLD)
    Path("known.json").write_text(text)
    assert main(CHECK) == 2
    assert "known.json" in capsys.readouterr().err


def test_a_missing_baseline_says_how_to_make_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(OLD)
    assert main(CHECK) == 2
    assert "--write-baseline" in capsys.readouterr().err
    assert main(["check", "d.json", "--write-baseline"]) == 2
