"""The tables that a processing script writes, against who reads them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from mlops.check.algorithm_trainings import trainings
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.script_reads import below
from mlops.check.script_texts import Texts
from mlops.check.scripts import Script, scripts
from mlops.check.subject import Subject
from mlops.ir import Ref, Severity, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.project.python_files import parsed

_CSV = ("text/csv", "csv")
_ENDINGS = (".csv", ".txt")


@dataclass(frozen=True, slots=True)
class _Table:
    """``path`` as far as it is written out: from its root on, or its last parts."""

    path: str
    line: int
    header: bool
    index: bool


@rule(
    "X849",
    "header-for-an-algorithm",
    Severity.WARNING,
    source="AWS docs: common-data-formats for training: CSV has no header, the label in its first column"
    " (sm-data-wrangler-mlops-workflows#1)",
)
def header_for_an_algorithm(subject: Subject) -> Iterator[Fault]:
    """A script writes a CSV file with pandas' header, or its index as the first column, and a built-in algorithm reads
    it: the header is a row of data to it, or what it fails at, and the first column is the label.

    Bad:  frame.to_csv("/opt/ml/processing/output/train/train.csv")
    Good: frame.to_csv("/opt/ml/processing/output/train/train.csv", header=False, index=False)
    """
    readers = {uri: name for name, uri in _readers(subject)}
    for script in scripts(subject) if readers else ():
        if script.member is not None or script.file is None or not script.name.endswith(".py"):
            continue
        for _, output in entries(script.job.request, "ProcessingOutputConfig", "Outputs"):
            folder, place = get(output, "S3Output", "LocalPath"), _place(script, output)
            reader = next((readers[uri] for uri in place if uri in readers), None)
            if reader is None or not isinstance(folder, str):
                continue
            for table in _tables_of(script.file):
                if _is_in(table.path, folder.rstrip("/")):
                    what = " and ".join(
                        word for word, on in (("a header", table.header), ("its index", table.index)) if on
                    )
                    message = (
                        f"{script.name}:{table.line} writes {what} into the CSV file, which {reader} takes for data"
                    )
                    yield Fault(script.at, message, "write it by to_csv(…, header=False, index=False)", script.placed)


def _readers(subject: Subject) -> Iterator[tuple[str, str]]:
    """Built-in algorithms, and where they read CSV."""
    for found in trainings(subject):
        for _, channel in entries(found.job.request, "InputDataConfig"):
            content = channel.get("ContentType")
            kind = content.partition(";")[0].strip().lower() if isinstance(content, str) else None
            uri = _name(get(channel, "DataSource", "S3DataSource", "S3Uri"))
            if kind in _CSV and uri is not None:
                yield found.name, uri


def _name(uri: Value) -> str | None:
    if isinstance(uri, Ref):
        return uri.expression
    return uri.rstrip("/") if isinstance(uri, str) else None


def _place(script: Script, output: Mapping[str, Value]) -> list[str]:
    """By which names an output is read: its URI, and the property of its step."""
    name, uri = output.get("OutputName"), _name(get(output, "S3Output", "S3Uri"))
    asked = f"Steps.{script.placed.step.name}.ProcessingOutputConfig.Outputs[{name!r}].S3Output.S3Uri"
    return [asked, *([uri] if uri is not None else [])]


def _is_in(path: str, folder: str) -> bool:
    if path.startswith("/"):
        return below(path, folder)
    return "/" in path and f"{folder}/".endswith(f"/{path.rpartition('/')[0]}/")


def _tables_of(file: Path) -> tuple[_Table, ...]:
    try:
        about = file.stat()
        return _tables(file, about.st_mtime_ns, about.st_size)
    except (OSError, RecursionError):  # gone, or deeper than anybody writes
        return ()


@lru_cache(maxsize=256)
def _tables(file: Path, changed: int, size: int) -> tuple[_Table, ...]:
    tree = parsed(file)
    texts = Texts(tree) if tree is not None else None
    found = []
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(attr="to_csv"), args=[target, *more], keywords=said) if texts is not None:
                given = {item.arg: item.value for item in said}
                path = texts.of(target) or _tail(target)
                if more or None in given or not path.endswith(_ENDINGS):
                    continue
                header, index = (_is_on(given.get(name)) for name in ("header", "index"))
                if header or index:
                    found.append(_Table(path, node.lineno, header, index))
    return tuple(found)


def _is_on(value: ast.expr | None) -> bool:
    """As pandas has it where nothing is said. What is known to the run alone is not told."""
    return value is None or (isinstance(value, ast.Constant) and value.value is True)


def _tail(node: ast.expr) -> str:
    """The last parts of a path that begins with what only the run knows."""
    match node:
        case ast.BinOp(op=ast.Div(), left=left, right=ast.Constant(value=str(text))):
            start = _tail(left)
            return f"{start}/{text}" if start else text
        case ast.Constant(value=str(text)):
            return text
    return ""
