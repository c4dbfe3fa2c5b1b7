"""`mlops show` as a picture, and in the languages of programs that draw."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import ROOT, Told, in_this_process

from mlops.check import check
from mlops.emit.drawing.graph import graph_of
from mlops.emit.targets import diagram, dot, mermaid
from mlops.ir import Checked
from mlops.ir.reader import read

SHOWN = ROOT / "docs" / "pictures" / "breast_cancer.svg"
PIPELINE = """from mlops import Fail, Lambda, Pipeline, when

with Pipeline("asks") as pipeline:
    mode = pipeline.string("Mode", default="a")
    with when(mode == "b", "Good") as good:
        Fail("Never", "no")
    with good.otherwise():
        Fail("Other", "no")

with Pipeline("other"):
    Fail("Alone", "no")
"""


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    return in_this_process(capfd)


def example(name: str) -> Checked:
    definition, _ = read((ROOT / "pipelines" / name / "pipeline.json").read_bytes())
    assert definition is not None
    return check(definition)


def test_show_draws_what_emit_writes(mlops: Callable[..., Told], tmp_path: Path) -> None:
    for option, target in (("--svg", "diagram"), ("--mermaid", "mermaid"), ("--dot", "dot")):
        shown = mlops("show", "pipeline.py:asks", option).out
        assert shown == mlops("emit", target, "pipeline.py:asks").out
        assert "Never" in shown
    told = mlops("show", "pipeline.py:asks", "--svg", "-o", "asks.svg")
    assert told.out == "" and "asks.svg" in told.err
    assert (tmp_path / "asks.svg").read_text().startswith("<svg ")


def test_show_writes_a_page(mlops: Callable[..., Told]) -> None:
    page = mlops("show", "pipeline.py:asks", "--html").out
    assert page.startswith("<!doctype html>") and "<script" not in page and 'class="mlops-graph"' in page
    for told in ("Mode", "Good: if false", "Fail"):
        assert told in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pipeline.py:asks", "--svg", "--dot"), "give one of"),
        (("pipeline.py:asks", "--svg", "--format", "json"), "give one of"),
        (("pipeline.py:asks", "-o", "a.svg"), "--output is for a picture"),
        (("pipeline.py:asks", "--dot", "--whole"), "--whole is for a picture"),
        (("pipeline.py", "--svg"), "has 2 pipelines and one is needed"),
    ],
)
def test_what_is_no_picture_is_told(mlops: Callable[..., Told], words: tuple[str, ...], says: str) -> None:
    assert says in mlops("show", *words, code=2).err


def test_the_picture_in_the_documents_is_the_one_of_the_example() -> None:
    """`mlops show pipelines/breast_cancer/pipeline.json --svg -o docs/pictures/breast_cancer.svg` writes it again."""
    assert SHOWN.read_text() == diagram.emit(example("breast_cancer"))


def test_a_flowchart_has_every_step_edge_and_branch() -> None:
    checked = example("diabetes")
    text, graph = mermaid.emit(checked), graph_of(checked)
    assert text.startswith("flowchart TD\n")
    assert text.count("subgraph ") == text.count("    end\n") == len(graph.groups) == 2
    assert text.count(" --> ") == dot.emit(checked).count(" -> ") == len(graph.edges)
    assert all(node.name in text for node in graph.nodes.values())


def test_what_names_hold_is_no_markup_of_theirs() -> None:
    definition, _ = read(
        b'{"Version": "2020-12-01", "Parameters": [], "Steps":'
        b' [{"Name": "a\\"]; click x \\"b", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}'
    )
    assert definition is not None
    checked = check(definition)
    assert 'step0["a#34;#93;#59; click x #34;b<br/>Fail"]' in mermaid.emit(checked)
    assert '[label="a\\"]; click x \\"b\\nFail"]' in dot.emit(checked)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_what_is_written_for_it() -> None:
    done = subprocess.run(["dot", "-Tplain"], input=dot.emit(example("diabetes")), capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    assert "graph " in done.stdout
