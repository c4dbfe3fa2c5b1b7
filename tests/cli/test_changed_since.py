"""``--changed-since`` in a real Git repository: what a change touches is checked and planned, nothing else is; what Git
cannot tell is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.cli import main

PIPELINE = """\
from mlops import Pipeline, Processing
{imports}
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("{name}", description="x") as pipeline:
    Processing("One", code="{code}", image=IMAGE, instance="ml.{size}", outputs=["text"])
"""
FOREIGN = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Steps": [{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}],
}


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pipelines: one imports a package of the project, one ships a folder of code, one is a definition in JSON.
    The project is a folder inside the repository."""
    root = tmp_path / "ml"
    for folder in (root / "shared", root / "steps"):
        folder.mkdir(parents=True)
    (root / "mlops.toml").write_text('[env.local]\ntags = { team = "growth" }\n')
    (root / "shared" / "__init__.py").write_text("from shared.words import WORD\n")
    (root / "shared" / "words.py").write_text('WORD = "hello"\n')
    for name in ("main", "more"):
        (root / "steps" / f"{name}.py").write_text("print(1)\n")
    (root / "first.py").write_text("print(1)\n")
    (root / "unread.py").write_text("print(1)\n")
    (root / "first_pipeline.py").write_text(
        PIPELINE.format(imports="from shared import WORD", name="first", code="first.py", size="m5.large")
    )
    (root / "second_pipeline.py").write_text(
        PIPELINE.format(imports="", name="second", code="steps", size="m5.large").replace(
            'code="steps"', 'code="steps", entry="main.py"'
        )
    )
    (root / "third.json").write_text(json.dumps(FOREIGN))
    (tmp_path / ".gitignore").write_text(".mlops/\n__pycache__/\n")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "all")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    return root


def add(name: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = root / name
        file.write_text((file.read_text() if file.exists() else "") + "\n")

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def rename(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: git(root, "mv", old, new)


TOUCHED: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "nothing": (lambda root: None, set()),
    "a file that nobody reads": (add("README.md"), set()),
    "outside the project": (add("../other.py"), set()),
    "a script": (add("first.py"), {"first"}),
    "a module behind an import": (add("shared/words.py"), {"first"}),
    "a file in a folder of code": (add("steps/more.py"), {"second"}),
    "a new file in a folder of code": (add("steps/new.py"), {"second"}),
    "a file that is gone from a folder of code": (remove("steps/more.py"), {"second"}),
    "a file that is gone and nobody read": (remove("unread.py"), set()),
    "a file that got another name in a folder of code": (rename("steps/more.py", "steps/less.py"), {"second"}),
    "a pipeline file": (add("second_pipeline.py"), {"second"}),
    "a definition": (add("third.json"), {"third"}),
    "the configuration": (add("mlops.toml"), {"first", "second", "third"}),
    "images that were locked": (
        lambda root: (root / "mlops.lock").write_text("version = 1\n"),
        {"first", "second", "third"},
    ),
}


@pytest.mark.parametrize("where", ["working copy", "commit"])
@pytest.mark.parametrize("case", TOUCHED)
def test_what_a_change_touches(project: Path, capsys: pytest.CaptureFixture[str], case: str, where: str) -> None:
    change, touched = TOUCHED[case]
    git(project, "switch", "-qc", "mine")
    change(project)
    if where == "commit" and case != "nothing":
        commit(project, case)
    main(["check", ".", "--changed-since", "main", "--format", "json"])
    told = capsys.readouterr()
    assert f"{len(touched)} of 3 pipelines are touched by the changes since main" in told.err
    assert json.loads(told.out)["summary"]["files"] == len(touched)


READ = {
    "by name": ('Path(__file__).with_name("sizes.json").read_text()', "sizes.json", True),
    "by a path": ('Path(__file__).parent.joinpath("conf/prod.toml").read_text()', "conf/prod.toml", True),
    "in parts": ('(Path(__file__).parent / "conf" / "prod.toml").read_text()', "conf/prod.toml", True),
    "by a name that is made": (
        '(Path(__file__).parent / "conf" / f"{STAGE}.toml").read_text()',
        "conf/prod.toml",
        True,
    ),
    "by a pattern": ('[*Path(__file__).parent.glob("conf/*.toml")]', "conf/prod.toml", True),
    "by its folder": ('[*Path(__file__).parent.joinpath("conf").iterdir()]', "conf/names", True),
    "in a module": ('__import__("reader")', "sizes.json", False),
    "in a module that is imported": ("0\nimport reader", "read.csv", True),
    "a folder that nobody lists": ('"conf"', "conf/names", False),
    "another file of the folder": ('Path(__file__).with_name("sizes.json").read_text()', "conf/prod.toml", False),
    "an object elsewhere": ('"s3://acme/sizes.json"', "sizes.json", False),
    "in a docstring": ('"""It has no sizes.json"""', "sizes.json", False),
}


@pytest.mark.parametrize("case", READ)
def test_a_file_that_the_pipeline_reads_when_it_is_loaded(
    project: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    expression, changed, touched = READ[case]
    (project / "conf").mkdir()
    for name in ("sizes.json", "conf/prod.toml", "conf/names", "read.csv"):
        (project / name).write_text("1\n")
    (project / "reader.py").write_text('open(__file__.replace("reader.py", "read.csv")).read()\n')
    imports = f'from pathlib import Path\nSTAGE = "prod"\nREAD = {expression}\n'
    (project / "first_pipeline.py").write_text(
        PIPELINE.format(imports=imports, name="first", code="first.py", size="m5.large")
    )
    commit(project, case)
    (project / changed).write_text("2\n")
    assert main(["check", ".", "--changed-since", "main"]) == 0
    assert f"{int(touched)} of 3 pipelines are touched" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["not at all", "working copy", "new file", "commit"])
def test_a_module_in_a_submodule(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "sizes.py").write_text("SIZE = 1\n")
    git(library, "init", "-q", "-b", "main")
    commit(library, "all")
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", str(library), "sized")
    pipeline = PIPELINE.format(imports="from sized.sizes import SIZE", name="first", code="first.py", size="m5.large")
    (project / "first_pipeline.py").write_text(pipeline)
    (project / ".gitignore").write_text("library/\n")
    commit(project, "with a library")
    if how != "not at all":
        (project / "sized" / ("more.py" if how == "new file" else "sizes.py")).write_text("SIZE = 2\n")
    if how == "commit":
        commit(project / "sized", "more")
    assert main(["check", ".", "--changed-since", "main"]) == 0
    assert f"{int(how != 'not at all' and how != 'new file')} of 3 pipelines are touched" in capsys.readouterr().err


def test_what_others_merged_meanwhile_is_not_ours(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project, "switch", "-qc", "mine")
    add("first.py")(project)
    commit(project, "mine")
    git(project, "switch", "-q", "main")
    add("steps/more.py")(project)
    commit(project, "theirs")
    git(project, "switch", "-q", "mine")
    assert main(["plan", ".", "--changed-since", "main", "--format", "json"]) == 0
    assert [plan["pipeline"] for plan in json.loads(capsys.readouterr().out)] == ["first"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove("first.py"), "first_pipeline.py:"),
        (remove("shared/words.py"), "shared/__init__.py:1: error D102"),
        (rename("shared/words.py", "shared/texts.py"), "shared/__init__.py:1: error D102"),
    ],
    ids=["a script is gone", "a module is gone", "a module got another name"],
)
def test_what_a_missing_file_breaks_is_found(
    project: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], told: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "shared"]:
        del sys.modules[name]
    change(project)
    assert main(["check", ".", "--changed-since", "main"]) == 1
    assert told in capsys.readouterr().out


def test_mistakes_in_what_is_not_touched_are_not_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = project / "second_pipeline.py"
    broken.write_text(broken.read_text().replace("m5.large", "m5.huge"))
    (project / "fourth_pipeline.py").write_text("from mlops import Pipeline\nPipeline(\n")
    commit(project, "broken")
    add("first.py")(project)
    assert main(["check", ".", "--changed-since", "HEAD"]) == 0
    assert main(["upsert", ".", "--changed-since", "HEAD"]) == 0
    assert capsys.readouterr().out == "first: created in local\n"
    assert main(["check", "."]) == 1
    add("fourth_pipeline.py")(project)
    assert main(["check", ".", "--changed-since", "HEAD"]) == 1


@pytest.mark.parametrize("command", ["check", "plan", "upsert"])
@pytest.mark.parametrize(
    ("ref", "told"),
    [("nowhere", "there is no 'nowhere'"), ("--all", "is no commit"), ("", "is no commit"), ("HEAD:ml", "there is no")],
    ids=["a name that is none", "an option", "empty", "no commit"],
)
def test_a_commit_that_is_none(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, ref: str, told: str
) -> None:
    assert main([command, ".", f"--changed-since={ref}"]) == 2
    assert told in capsys.readouterr().err


def test_histories_that_never_met(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project, "switch", "-q", "--orphan", "other")
    git(project, "commit", "-q", "--allow-empty", "-m", "other")
    git(project, "switch", "-q", "main")
    assert main(["check", ".", "--changed-since", "other"]) == 2
    assert "other and this branch have no commit in common" in capsys.readouterr().err


def test_outside_a_repository(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent.parent))
    (project.parent / ".git").rename(project.parent / "git")
    assert main(["check", ".", "--changed-since", "main"]) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_a_file_name_of_any_bytes(project: Path) -> None:
    name = os.fsencode(project) + b"/caf\xe9.py"
    try:
        with open(name, "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert main(["check", ".", "--changed-since", "main"]) == 0


def test_a_hook_of_another_repository(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "another").mkdir()
    git(tmp_path / "another", "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another" / ".git"))
    add("first.py")(project)
    assert main(["check", ".", "--changed-since", "main"]) == 0
    assert "1 of 3" in capsys.readouterr().err


def test_a_baseline_is_written_of_everything(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--baseline", "b.json", "--write-baseline", "--changed-since", "main"]
    assert main(["check", ".", *options]) == 2
    assert "--changed-since" in capsys.readouterr().err


def test_two_folders_may_have_modules_of_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One is a folder without ``__init__.py``, the other a file."""
    for folder, module in (("a", "shared_words/inner.py"), ("b", "shared_words.py")):
        (tmp_path / folder / module).parent.mkdir(parents=True)
        (tmp_path / folder / module).write_text('WORD = "x"\n')
        imports = "from shared_words.inner import WORD" if folder == "a" else "from shared_words import WORD"
        (tmp_path / folder / "pipeline.py").write_text(
            PIPELINE.format(imports=imports, name=folder, code="step.py", size="m5.large")
        )
        (tmp_path / folder / "step.py").write_text("print(1)\n")
    assert main(["check", str(tmp_path)]) == 0, capsys.readouterr().out
    assert "2 pipelines checked" in "".join(capsys.readouterr())
