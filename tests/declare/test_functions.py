"""Plain functions as steps: what is written, what is shipped, what is refused, and that the function stays itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import Opened, open_targets
from mlops.declare.shipped import mlops_function
from mlops.ir import Severity
from mlops.ir.document import document

FILE = '''\
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypedDict

import near
from mlops import Fail, Pipeline, Processing, image, step, when

sklearn = image.sklearn("1.2-1")
SCALE = 10


class Split(NamedTuple):
    train: Path
    rows: int


@dataclass(frozen=True)
class Quality:
    score: float
    good: bool
    name: str


def scaled(value: float) -> float:
    return value * SCALE


@step(image=sklearn, instance="ml.m5.large", cache="P7D")
def split(raw: Path, share: float, names: list[str], tag: str = "none") -> Split:
    """Cut raw in two."""
    return Split(raw, int(scaled(share)))


@step(image=sklearn, name="Judge")
def judge(data: Path, rows: int, note: str | None = None) -> Quality:
    return Quality(near.half(rows), True, "x")


@step(image=sklearn)
def notify(score: float) -> None:
    raise ValueError(f"score is {score}")

'''

PIPELINE = """
with Pipeline("functions") as pipeline:
    share = pipeline.float("Share", default=0.5)
"""
BODY_LINE = FILE.count("\n") + PIPELINE.count("\n") + 1


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Opened]:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "near.py").write_text("import far\n\ndef half(value):\n    return value / 2\n")
    (tmp_path / "far.py").write_text("import math\n")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "raw.csv").write_text("1\n2\n")

    def write(body: str, file: str = FILE) -> Opened:
        text = file + PIPELINE + "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "pipeline.py").write_text(text)
        return open_targets([str(tmp_path / "pipeline.py")], "local")

    return write


def written(opened: Opened, name: str) -> Any:
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    assert errors == []
    return next(item for item in document(opened.pipelines[0].definition)["Steps"] if item["Name"] == name)


SPLIT = 'parts = split(Path("raw.csv"), share=share, names=["a", "é"])'


def test_a_call_is_a_processing_step(opened: Callable[..., Opened]) -> None:
    step = written(opened(SPLIT), "split")
    assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P7D"}
    assert step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.large"
    count, *words = step["Arguments"]["AppSpecification"]["ContainerArguments"]
    assert json.loads("".join(words[: int(count)])) == {
        "file": "pipeline.py",
        "function": "split",
        "steps": ["judge", "notify", "split"],
        "literals": {"names": ["a", "é"]},
        "paths": ["raw"],
        "texts": {"share": "float"},
        "results": {"train": "path", "rows": "int"},
    }
    assert words[int(count) :] == [{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Share"}]}}]


def test_no_word_is_longer_than_the_service_takes(opened: Callable[..., Opened]) -> None:
    step = written(opened('parts = split("s3://acme-data/raw/", 0.5, ["x" * 2000])'), "split")
    words = step["Arguments"]["AppSpecification"]["ContainerArguments"]
    assert max(map(len, words)) <= 256
    assert json.loads("".join(words[1:]))["literals"]["names"] == ["x" * 2000]


def test_results_are_references(opened: Callable[..., Opened]) -> None:
    body = f"""{SPLIT}
quality = judge(parts.train, rows=parts.rows)
with when((quality.score > 0.5) & (quality.good == True)):
    notify(quality.score)"""
    checked = opened(body)
    step = written(checked, "Judge")
    inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in step["Arguments"]["ProcessingInputs"]}
    assert inputs["data"] == {"Get": "Steps.split.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    rows = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.split.PropertyFiles.return"}, "Path": "rows"}}
    assert step["Arguments"]["AppSpecification"]["ContainerArguments"][-1] == {"Std:Join": {"On": "", "Values": [rows]}}
    files = [{"PropertyFileName": "return", "OutputName": "return", "FilePath": "return.json"}]
    assert step["PropertyFiles"] == files
    assert checked.pipelines[0].edges["Judge"] == {"split"}


def test_what_is_shipped_is_the_file_and_what_it_imports_beside_it(opened: Callable[..., Opened]) -> None:
    (asset,) = (
        asset
        for asset in opened('judge("s3://acme-data/x/", rows=2)').pipelines[0].definition.assets
        if not asset.archive
    )
    assert [name for name, _ in asset.files] == ["far.py", "mlops_function.py", "near.py", "pipeline.py"]
    (alone,) = opened("notify(0.5)").pipelines[0].definition.assets
    assert [name for name, _ in alone.files] == ["mlops_function.py", "pipeline.py"]


def test_the_same_source_is_the_same_upload(opened: Callable[..., Opened]) -> None:
    first, second = (opened(SPLIT).pipelines[0].definition.assets for _ in range(2))
    assert [asset.address for asset in first] == [asset.address for asset in second]


def test_options_change_one_call(opened: Callable[..., Opened]) -> None:
    checked = opened('notify(0.5)\nnotify.options(name="Again", after=["notify"], instance="ml.c5.xlarge")(0.75)')
    step = written(checked, "Again")
    assert step["DependsOn"] == ["notify"]
    assert step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.c5.xlarge"


def double(value: float) -> float:
    """Double."""
    return value * 2


def test_outside_of_a_pipeline_it_is_itself() -> None:
    from mlops import image, step

    doubled = step(image=image.sklearn("1.2-1"))(double)
    assert doubled(2.5) == 5.0
    assert doubled(value=1) == 2
    assert (doubled.__name__, doubled.__doc__) == ("double", "Double.")


def test_a_reference_outside_of_a_pipeline_is_told(opened: Callable[..., Opened]) -> None:
    outside = FILE + "from mlops import execution\nnotify(execution.execution_id)\n"
    assert "D030" in [finding.code for finding in opened("pass", outside).findings]


REFUSED = [
    ("a text where a number is wanted", 'notify("high")', "D070", "type float"),
    ("True where a number is wanted", "notify(True)", "D070", "type float"),
    ("an unknown argument", "notify(0.5, scroe=1.0)", "D070", "scroe"),
    ("a missing argument", "notify()", "D070", "score"),
    ("no number for JSON", "notify(float('nan'))", "D070", "nan"),
    ("a literal that JSON has not", 'split("s3://acme-data/x/", 0.5, [object()])', "D070", "object"),
    ("a set", 'split("s3://acme-data/x/", 0.5, {"a"})', "D070", "JSON"),
    ("a reference inside of a literal", 'split("s3://acme-data/x/", 0.5, [share])', "D070", "Share"),
    ("a number where data is wanted", 'split(3, 0.5, ["a"])', "D070", "takes data"),
    ("a parameter where data is wanted", 'split(share, 0.5, ["a"])', "D070", "takes data"),
    ("data where a number is wanted", 'notify(split("s3://acme-data/x/", 0.5, []).train)', "D070", "type float"),
    ("too much for a command line", 'split("s3://acme-data/x/", 0.5, ["x" * 30000])', "D070", "file"),
    ("a field that is not returned", 'split("s3://acme-data/x/", 0.5, []).trian', "D102", "trian"),
    ("a lambda", "step(image=sklearn)(lambda: None)", "D071", "lambda"),
    ("no function", "step(image=sklearn)(3)", "D071", "plain functions"),
    ("a builtin", "step(image=sklearn)(len)", "D071", "plain functions"),
    ("an argument that the step has not", "notify.options(instnce='x')(0.5)", "D040", "instance"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_wrong_call_is_told_with_its_line(opened: Callable[..., Opened], line: str, code: str, word: str) -> None:
    errors = [finding for finding in opened(line).findings if finding.code[0] == "D"]
    assert [(error.code, error.where.line) for error in errors] == [(code, BODY_LINE)]
    assert word in f"{errors[0].message} {errors[0].help}"


UNSHIPPABLE = [
    ("no result", "@step(image=sklearn)\ndef f(x: int): ...", "", "D072", "what it returns"),
    ("no type of a parameter", "@step(image=sklearn)\ndef f(x) -> None: ...", "", "D072", "x has no type"),
    ("arguments without end", "@step(image=sklearn)\ndef f(*x: int) -> None: ...", "", "D072", "*x"),
    ("an annotation that is nothing", "@step(image=sklearn)\ndef f(x: Nope) -> None: ...", "", "D072", "Nope"),
    ("a coroutine", "@step(image=sklearn)\nasync def f() -> None: ...", "", "D071", "asynchronous"),
    (
        "a closure",
        "def outer(y):\n    @step(image=sklearn)\n    def f() -> int:\n        return y\n    return f\nouter(1)",
        "",
        "D071",
        "reads y of the function around it",
    ),
    (
        "a function inside of another",
        "def outer():\n    @step(image=sklearn)\n    def f() -> int:\n        return 1\nouter()",
        "",
        "D071",
        "move it to the top level",
    ),
    (
        "what the pipeline makes",
        "@step(image=sklearn)\ndef f() -> int:\n    return len(share.name)",
        "f()",
        "D071",
        "reads what line",
    ),
    (
        "mlops itself",
        "@step(image=sklearn)\ndef f() -> int:\n    import mlops.ir\n    return 1",
        "f()",
        "D071",
        "needs mlops",
    ),
]


@pytest.mark.parametrize(
    ("definition", "call", "code", "word"), [case[1:] for case in UNSHIPPABLE], ids=[case[0] for case in UNSHIPPABLE]
)
def test_a_function_that_cannot_travel_is_told(
    opened: Callable[..., Opened], definition: str, call: str, code: str, word: str
) -> None:
    errors = [finding for finding in opened(call or "pass", f"{FILE}{definition}\n").findings if finding.code[0] == "D"]
    assert [error.code for error in errors] == [code]
    assert word in f"{errors[0].message} {errors[0].help}"
    assert errors[0].where.line is not None


LAZY = """
@step(image=sklearn)
def f() -> int:
    IMPORT
    return 1
"""
UNREADABLE: dict[str, Callable[[Path], object]] = {
    "no Python": lambda file: file.write_text("x = 1\ndef broken(:\n"),
    "a NUL": lambda file: file.write_bytes(b"x = 1\0\n"),
    "another encoding": lambda file: file.write_bytes("x = 'é'\n".encode("latin-1")),
    "too deep": lambda file: file.write_text("(" * 500 + ")" * 500),
}
SOUND: dict[str, Callable[[Path], object]] = {
    "a mark at its beginning": lambda file: file.write_bytes(b"\xef\xbb\xbfx = 1\n"),
    "an encoding that it declares": lambda file: file.write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1")),
    "nothing": lambda file: file.touch(),
}


@pytest.mark.parametrize("how", [*UNREADABLE, *SOUND])
@pytest.mark.parametrize(
    ("imports", "file", "is_certain"),
    [
        ("import lazy", "lazy.py", True),
        ("from lazy import x", "lazy.py", True),
        ("import pack.lazy", "pack/lazy.py", True),
        ("from pack import lazy", "pack/lazy.py", True),
        ("import pack", "pack/__init__.py", True),
        ("import pack", "pack/lazy.py", False),
        ("try:\n        import lazy\n    except Exception: pass", "lazy.py", False),
    ],
)
def test_a_module_that_is_shipped_and_no_python(
    opened: Callable[..., Opened], tmp_path: Path, how: str, imports: str, file: str, is_certain: bool
) -> None:
    """Told at its own line where it is certain to be imported; else it travels as it is."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (UNREADABLE | SOUND)[how](tmp_path / file)
    found = opened("f()", FILE + LAZY.replace("IMPORT", imports))
    errors = [finding for finding in found.findings if finding.severity is Severity.ERROR]
    if how in SOUND or not is_certain:
        assert errors == []
        assert file in [name for asset in found.pipelines[0].definition.assets for name, _ in asset.files]
        return
    (error,) = errors
    assert (error.code, error.where.file, error.step) == ("D101", str(tmp_path / file), "f")
    assert error.where.line in (1, 2)
    assert error.message.startswith(f"f ships {Path(file).name}, and Python cannot read it: ")


@pytest.mark.parametrize("imports", ["import pack", "import pack.gone", "import folder"])
def test_what_has_the_name_of_a_module_and_is_no_file(
    opened: Callable[..., Opened], tmp_path: Path, imports: str
) -> None:
    (tmp_path / "pack" / "part.py").mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "gone.py").symlink_to("nowhere")
    (tmp_path / "folder.py").mkdir()
    found = opened("f()", FILE + LAZY.replace("IMPORT", imports))
    assert [finding for finding in found.findings if finding.severity is Severity.ERROR] == []


NEEDED = [
    ("its own file's helpers", "def f():\n    return g()\ndef g():\n    return H\nH = 1\nI = 2\n", ["f", "g", "H"]),
    ("no local names", "with x as s: pass\ndef f(s):\n    t = s\n    return t\nt = 1\n", ["f"]),
    ("defaults", "D = 1\ndef f(a=D): pass\n", ["D", "f"]),
    ("no annotations", "T = int\ndef f(a: T) -> T: pass\n", ["f"]),
    ("names in comprehensions", "A = []\ndef f():\n    return [a for a in A]\na = 1\n", ["A", "f"]),
    ("names in nested functions", "A = 1\ndef f():\n    def g(b): return A + b\n    return g\nb = 1\n", ["A", "f"]),
    ("classes with bases", "class B: pass\nclass C(B):\n    def m(self): return D\nD = 1\ndef f(): return C()\n",
     ["B", "C", "D", "f"]),
    ("either import", "try:\n    import a\nexcept ImportError:\n    a = None\ndef f(): return a\n", ["a", "f"]),
    ("no decorator of mlops", "from mlops import step\n@step(image=IMAGE)\ndef f(): pass\nIMAGE = 1\n", ["f"]),
    ("no outermost decorator of the step", "@house\ndef f(): pass\nhouse = 1\n", ["f"]),
    ("other decorators", "import functools\n@step\n@functools.cache\ndef f(): pass\n", ["functools", "f"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "names"), [case[1:] for case in NEEDED], ids=[case[0] for case in NEEDED])
def test_what_a_function_needs(source: str, names: list[str]) -> None:
    import ast

    kept = mlops_function.needed(ast.parse(source), "f", ["f"])
    assert [sorted(mlops_function.bound(statement))[0] for statement in kept] == names


def run(folder: Path, call: dict[str, Any], *texts: str) -> subprocess.CompletedProcess[str]:
    """The shipped runner as a container starts it; folders are below ``folder``."""
    text = json.dumps(call)
    return subprocess.run(
        [sys.executable, str(folder / "mlops_function.py"), "1", text, *texts],
        env={"SAGEMAKER_BASE_DIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def container(tmp_path: Path) -> Path:
    (tmp_path / "mlops_function.py").write_bytes(Path(mlops_function.__file__).read_bytes())
    (tmp_path / "near.py").write_text("def half(value):\n    return value / 2\n")
    (tmp_path / "pipeline.py").write_text(FILE + PIPELINE)
    (tmp_path / "processing" / "input" / "raw").mkdir(parents=True)
    (tmp_path / "processing" / "input" / "raw" / "a.csv").write_text("1\n")
    return tmp_path


def call(function: str, **more: Any) -> dict[str, Any]:
    empty = {"literals": {}, "paths": [], "texts": {}, "results": {}}
    return {"file": "pipeline.py", "function": function, "steps": ["judge", "notify", "split"], **empty, **more}


def test_the_runner_delivers_files_and_values(container: Path) -> None:
    results = {"train": "path", "rows": "int"}
    done = run(
        container,
        call("split", paths=["raw"], texts={"share": "float"}, literals={"names": []}, results=results),
        "0.5",
    )
    assert done.returncode == 0, done.stderr
    outputs = container / "processing" / "output"
    assert (outputs / "train" / "a.csv").read_text() == "1\n"
    assert json.loads((outputs / "return" / "return.json").read_text()) == {"rows": 5}


def test_the_runner_shows_the_authors_own_traceback(container: Path) -> None:
    done = run(container, call("notify", literals={"score": 0.5}))
    line = FILE.splitlines().index('    raise ValueError(f"score is {score}")') + 1
    assert done.returncode == 1
    assert "mlops_function.py" not in done.stderr
    assert f'pipeline.py", line {line}, in notify' in done.stderr
    assert (container / "output" / "message").read_text() == f"ValueError: score is 0.5 (pipeline.py, line {line})"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "3", 3),
        ("int", "3.0", 3),
        ("float", "3", 3.0),
        ("bool", "true", True),
        ("bool", "False", False),
        ("str", "3", "3"),
    ],
    ids=str,
)
def test_texts_become_what_was_declared(kind: str, text: str, value: object) -> None:
    found = mlops_function.converted(kind, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("float", "0.5"), ("int", 0.5), ("int", True), ("bool", 1), ("str", None)],
    ids=lambda item: repr(item),
)
def test_a_wrong_result_is_refused(kind: str, value: object) -> None:
    with pytest.raises(SystemExit, match="should be of type"):
        mlops_function.checked(kind, value, "f()")
