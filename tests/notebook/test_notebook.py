"""A pipeline in a notebook: what it shows, and that it runs; at last in a real kernel."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from mlops import Fail, Pipeline, Processing, Training, when
from mlops.declare.misuse import MisuseError
from mlops.deploy.executions.following import StepState
from mlops.ir import Refusal, UsageError, Where
from mlops.notebook import Ran, html
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.declared import declared
from mlops.use_cases.pictures import graph

SCRIPT = """
import os, pathlib, sys
out = pathlib.Path("/opt/ml/processing/output/x")
(out / "days.txt").write_text(os.environ["DAYS"])
sys.exit(int(os.environ.get("CODE", "0")))
"""
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a script, as a notebook has it."""
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "make.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def small(code: str = "0") -> Pipeline:
    with Pipeline("small", description="<b>bold</b> & co") as pipeline:
        days = pipeline.integer("Days", default=30)
        Processing(
            "Make",
            code="make.py",
            image=IMAGE,
            command=[sys.executable],
            outputs=["x"],
            environment={"DAYS": days, "CODE": code},
        )
        with when(days > 100, "Many") as many:
            Fail("TooMany", "too many")
        with many.otherwise():
            pass
    return as_in_a_cell(pipeline)


def as_in_a_cell(pipeline: Pipeline) -> Pipeline:
    """Its files are looked for in the working directory then, not beside this test."""
    pipeline.where = Where("/tmp/ipykernel_1/2.py", 1)
    return pipeline


def test_it_shows_its_graph(here: Path) -> None:
    shown = small()._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in shown
    assert "<b>bold" not in shown
    svg = ElementTree.fromstring(small()._repr_svg_())
    boxes = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert boxes == ["small", "Make", "Many", "TooMany"]
    assert "if true" in [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    told = small().show()
    assert "TooMany [Fail]" in told and "TooMany [Fail]" in repr(told)
    assert 'class="mlops-graph"' in told._repr_html_()  # type: ignore[attr-defined]


def test_it_tells_whoever_the_command_would_tell(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "mlops.toml").write_text('[env.local.notify]\non = ["succeeded", "failed"]\nfile = "told"\n')
    small().run()
    with pytest.raises(Refusal):
        small("3").run()
    notices = [json.loads(line)["kind"] for line in (here / "told").read_text().splitlines()]
    assert notices == ["succeeded", "failed"]


def test_findings_are_inline_and_text(here: Path) -> None:
    with Pipeline("odd") as pipeline:
        Training("T", image='<script>alert("x")</script>', code="make.py")
        Processing("P", image=IMAGE, code="<i>absent</i>.py")
    shown = as_in_a_cell(pipeline)._repr_html_()
    assert "D052" in shown
    assert "&lt;i&gt;absent&lt;/i&gt;" in shown
    assert "<script" not in shown
    assert "<i>" not in shown
    assert "D052" in pipeline.show()


def test_a_broken_project_is_told_and_not_thrown(here: Path) -> None:
    (here / "mlops.toml").write_text("[env.local]\nregion = 5\n")
    assert "region" in small()._repr_html_()


def test_a_picture_of_a_cycle_is_drawn_all_the_same(here: Path) -> None:
    with Pipeline("round") as pipeline:
        Training("A", image=IMAGE, after=["B"])
        Training("B", image=IMAGE, after=["A"])
    assert as_in_a_cell(pipeline)._repr_svg_().count('class="box"') == 2


@pytest.mark.parametrize(("kept", "order"), [(True, ("B", "A")), (False, ("A", "B"))])
def test_an_order_that_is_kept_is_kept_in_a_cell_too(here: Path, kept: bool, order: tuple[str, ...]) -> None:
    with Pipeline("kept", keep_order=kept) as pipeline:
        Training("B", image=IMAGE, after=["A"])
        Training("A", image=IMAGE)
    steps = declared(as_in_a_cell(pipeline)).checked.definition.steps
    assert tuple(step.name for step in steps) == order


def test_a_mistake_in_a_cell_is_raised_at_once(here: Path) -> None:
    with Pipeline("p"), pytest.raises(MisuseError, match="there is no argument imge"):
        Training("T", imge=IMAGE)  # type: ignore[call-arg]


def test_an_outline_is_shown_as_it_is(here: Path) -> None:
    shown = small().show()
    assert repr(shown).splitlines() == shown.splitlines()
    assert "\\n" not in repr(shown)


def test_an_execution_is_shown_as_a_table() -> None:
    steps = (
        StepState("Make", "Succeeded", "ProcessingJob", cached="arn"),
        StepState("Many", "Succeeded", "Condition", metadata={"Condition": {"Outcome": "False"}}),
        StepState("<Bad>", "Failed", "ProcessingJob", failure="<i>no"),
    )
    ran = Ran("arn:aws:sagemaker:x:0:pipeline/small/execution/abc", "small", "Failed", "because <b>", steps)
    assert repr(ran).splitlines() == [
        "execution abc of small: Failed",
        "  Make   Succeeded (cached)",
        "  Many   Succeeded (False)",
        "  <Bad>  Failed                <i>no",
    ]
    shown = ElementTree.fromstring(ran._repr_html_())
    rows = [[cell.text or "" for cell in row] for row in shown.iter("tr")]
    assert rows[0] == ["step", "status", "seconds", "reason"]
    assert rows[3] == ["<Bad>", "Failed", "", "<i>no"]


def test_it_runs_here(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = small().run(Days=7)
    assert isinstance(state, Ran)
    assert state.status == "Succeeded" and repr(state).startswith("execution ")
    assert "Make: Succeeded" in capsys.readouterr().err
    (written,) = (here / ".mlops" / "objects").rglob("days.txt")
    assert written.read_text() == "7"
    statuses = {step.name: step.status for step in state.steps}
    assert picture(html(small(), statuses)) == picture(graph(connect_here("local"), state)), (
        "the console draws the same"
    )


def picture(text: str) -> str:
    return text[text.index("<svg") : text.rindex("</svg>")]


@pytest.mark.parametrize(
    ("parameters", "word"), [({"Dys": 7}, "Days"), ({"Days": "seven"}, "integer")], ids=["unknown", "no integer"]
)
def test_a_wrong_parameter_is_refused(here: Path, parameters: dict[str, str | int], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        small().run(parameters)
    assert not (here / ".mlops").exists() or not list((here / ".mlops").rglob("days.txt"))


def test_a_failure_is_told(here: Path) -> None:
    with pytest.raises(Refusal, match="Make"):
        small(code="3").run()


def test_a_pipeline_with_errors_does_not_run(here: Path) -> None:
    with Pipeline("p") as pipeline:
        Processing("P", image=IMAGE, code="absent.py")
    with pytest.raises(Refusal, match="D052"):
        as_in_a_cell(pipeline).run()


@pytest.mark.proof("deep")
@pytest.mark.slow
def test_a_real_notebook(here: Path) -> None:
    """As a front end would execute it, with a kernel of its own."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [
        "import sys\nfrom mlops import Fail, Pipeline, Processing, when",
        'with Pipeline("small") as pipeline:\n'
        '    days = pipeline.integer("Days", default=30)\n'
        f'    Processing("Make", code="make.py", image="{IMAGE}", command=[sys.executable], outputs=["x"], '
        'environment={"DAYS": days})\npipeline',
        "pipeline.run(Days=8).status",
        'with Pipeline("q"):\n    Processing("P", image="x", imge="y")',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(here)}}, allow_errors=True
    )
    client.execute()
    shown = notebook.cells[1].outputs[0].data["text/html"]
    assert "<svg" in shown
    assert "nothing to say" in shown
    live, result = notebook.cells[2].outputs
    assert "Succeeded" in live.data["text/html"]
    assert result.data["text/plain"] == "'Succeeded'"
    (error,) = notebook.cells[3].outputs
    assert (error.ename, "imge" in error.evalue) == ("MisuseError", True)


def test_at_a_prompt_files_are_looked_for_in_the_working_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython's frames in a terminal were taken for the author's, and its package's folder was searched."""
    monkeypatch.setenv("IPYTHONDIR", str(here / "ipython"))
    shells = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    shell = shells.instance()
    try:
        shell.run_cell(
            "import sys\nfrom mlops import Pipeline, Processing\n"
            'with Pipeline("typed") as typed:\n'
            f'    Processing("Make", code="make.py", image="{IMAGE}", command=[sys.executable])\n'
            "shown = typed.show()"
        ).raise_error()
        assert "D052" not in shell.user_ns["shown"]
        wrong = shell.run_cell('with Pipeline("q"):\n    Processing("P", image="x", imge="y")').error_in_exec
        assert "interactiveshell" not in str(wrong) and "imge" in str(wrong)
    finally:
        shells.clear_instance()
