"""What the documents say is so: their pipelines compile, their commands, names, paths and links are there."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import mlops
from mlops.check.explain import page
from mlops.check.sources import open_targets
from mlops.cli import cli
from mlops.cli.options import WithCommand
from mlops.emit.targets.definition_json import emit
from mlops.ir import Severity
from tests.docs.typed_page import File, pieces

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DECLARE = "\n".join(
    file.read_text(encoding="utf-8")
    for file in [*sorted((ROOT / "docs").glob("*_steps.md")), ROOT / "docs" / "declare.md"]
)

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)

_FENCE = re.compile(
    r"(?:^<!-- fails: (?P<codes>[\w ,]+) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_COMMAND_LINE = re.compile(r"^(?:    |\$ |\s*- run: )(mlops .*)$", re.MULTILINE)
_COMMAND_IN_TEXT = re.compile(r"(?<!`)`(mlops [^`\n]+)`")
_PATH_IN_TEXT = re.compile(r"`((?:mlops|tests|docs|benchmarks|pipelines)/[\w./-]*)`")


@dataclass(frozen=True)
class Block:
    """``fails`` are the codes of the errors that it is meant to give."""

    name: str
    text: str
    fails: frozenset[str]


def blocks(language: str) -> Iterator[Block]:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            if found["language"] == language:
                line = text.count("\n", 0, found.start("text"))
                codes = frozenset(re.findall(r"\w+", found["codes"] or ""))
                yield Block(f"{document.name}:{line}", found["text"], codes)


PIPELINES = [block for block in blocks("python") if "Pipeline(" in block.text]


@pytest.mark.parametrize("block", PIPELINES, ids=lambda block: block.name)
def test_a_pipeline_compiles_or_fails_as_it_says(block: Block, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "mlops.lock").write_bytes((ROOT / "mlops.lock").read_bytes())
    file = tmp_path / "pipeline.py"
    file.write_text(block.text, encoding="utf-8")
    make_sources(ast.parse(block.text), tmp_path)
    opened = open_targets([str(file)], "local", definitions=False)
    assert {finding.code for finding in opened.findings if finding.severity is Severity.ERROR} == block.fails
    assert [finding for finding in opened.findings if finding.severity is Severity.WARNING] == []
    if not block.fails:
        assert all(emit(checked.definition) for checked in opened.pipelines)


ANALYSIS = """{"label": "y", "facet": [{"name_or_index": "x"}], "methods": {"pre_training_bias": {}, "shap": {}}}"""
STUBS = {"analysis_config.json": ANALYSIS, "inference.py": "def model_fn(model_dir):\n    pass\n"}


def make_sources(tree: ast.AST, folder: Path) -> None:
    """Files, nearly all empty, of the names that a pipeline gives as code, sample or local data."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            entry = text_of(given.get("entry"))
            named = [given.get(name) for name in ("code", "sample", "notebook", "config")]
            local = [*named, *values_of(given.get("inputs"), given.get("channels"))]
            if isinstance(call.func, ast.Name) and call.func.id == "PackModel":
                local.append(given.get("inference_code"))
            for name in filter(None, map(text_of, local)):
                if "://" not in name:
                    file = folder / name / entry if entry and name == text_of(given.get("code")) else folder / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(STUBS.get(file.name, ""))


def values_of(*given: ast.expr | None) -> list[ast.expr]:
    return [value for item in given if isinstance(item, ast.Dict) for value in item.values]


def text_of(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@pytest.mark.parametrize("block", list(blocks("python")), ids=lambda block: block.name)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


def commands() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for pattern in (_COMMAND_LINE, _COMMAND_IN_TEXT):
            for found in pattern.finditer(text):
                yield document.name, found[1].replace(r"\|", "|")


COMMANDS = sorted(set(commands()))


@pytest.mark.parametrize(("document", "line"), COMMANDS, ids=[f"{name}: {line}" for name, line in COMMANDS])
def test_a_command_exists_with_its_options(document: str, line: str) -> None:
    _, name, *words = shlex.split(line.replace("…", ""), comments=True)
    if name.startswith("-"):
        assert cli.make_parser(click.Context(cli)).parse_args([name, *words])[1] == []
        return
    accepts(cli, [name, *words])


def accepts(command: click.Command, words: list[str]) -> None:
    """A value in capitals stands for any."""
    if isinstance(command, click.Group) and words:
        for alternative in words[0].split("|"):
            inner = command.get_command(click.Context(command), alternative)
            assert inner is not None, alternative
            accepts(inner, words[1:])
        return
    if isinstance(command, WithCommand) and "--" in words:
        words = words[: words.index("--")]  # what stands behind is another program's
    given, left, _ = command.make_parser(click.Context(command)).parse_args(list(words))
    assert left == []
    for parameter in command.params:
        value = given.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and isinstance(value, str) and not value.isupper():
            assert value in parameter.type.choices


def test_every_command_is_told_somewhere() -> None:
    told = {shlex.split(line.replace("…", ""), comments=True)[1] for _, line in COMMANDS}
    assert set(cli.list_commands(click.Context(cli))) <= told


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in _LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_paths_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    given = {piece.name for piece in pieces(text) if isinstance(piece, File)}
    assert [path for path in _PATH_IN_TEXT.findall(text) if path not in given and not (ROOT / path).exists()] == []


@every_document
def test_make_targets_are_there(document: Path) -> None:
    named = re.findall(r"(?:`|^    )make ([a-z]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in named if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("name", mlops.__all__)
def test_a_public_name_is_told(name: str) -> None:
    assert re.search(rf"`{name}\b", DECLARE)


STEPS = sorted(
    name
    for name in mlops.__all__
    if isinstance(found := getattr(mlops, name), type) and issubclass(found, mlops.Step) and found is not mlops.Step
)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_has_its_arguments_and_an_example(name: str) -> None:
    heading = re.search(rf"^### {name}\n(.*?)(?=^##)", DECLARE, re.MULTILINE | re.DOTALL)
    assert heading is not None
    section = heading[1]
    arguments = [
        argument.name
        for argument in inspect.signature(getattr(mlops, name).__init__).parameters.values()
        if argument.name not in ("self", "name") and argument.kind is not argument.VAR_KEYWORD
    ]
    assert [argument for argument in arguments if f"`{argument}`" not in section] == []
    assert f"{name}(" in section


def test_the_page_of_rules_is_not_stale() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == page(), "write it again: mlops rules --format markdown > docs/rules.md"


def test_every_mistake_has_a_row() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "mlops" / "declare").rglob("*.py")]
    known = {code for source in sources for code in re.findall(r'"(D\d{3})"', source)}
    assert set(re.findall(r"^\| (D\d{3}) ", DECLARE, re.MULTILINE)) == known


@pytest.mark.parametrize("module", ["image", "execution", "environment"])
def test_what_a_module_gives_is_told(module: str) -> None:
    home = importlib.import_module(f"mlops.declare.{module}")
    own = [
        name
        for name, value in vars(home).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or type(value).__module__ == home.__name__)
        and getattr(value, "__module__", home.__name__) == home.__name__
    ]
    assert own
    assert [name for name in own if f"`{module}.{name}" not in DECLARE] == []


def test_every_kind_of_event_is_told_of() -> None:
    """By its noun, in the page of events: what stands as ``noun.what-happened`` where events are made."""
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)\.", (ROOT / "docs" / "events.md").read_text(encoding="utf-8")))
    kinds: set[str] = set()
    for file in (*(ROOT / "mlops" / "account").rglob("*.py"), *(ROOT / "mlops" / "deploy").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if re.search(r"events\.tell\(|\bEvent\(", text):
            kinds |= set(re.findall(r'"([a-z]+(?:-[a-z]+)*)\.(?:\{[^"]+\}|[a-z]+(?:-[a-z]+)*)"', text))
    assert {"alarm", "delivery", "promotion", "shift"} <= kinds
    # Sources of EventBridge, and what is no event at all.
    assert kinds - told - {"aws", "event", "mlops"} == set()
