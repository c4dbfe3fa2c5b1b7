"""What a step's own script imports, against what its image and its requirements bring."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from posixpath import basename

from mlops.check.expressions import literal
from mlops.check.images import parse
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.scripts import shipped
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.project.python_files import imported, parsed

_BRINGS = {"torch": "torch", "tensorflow": "tensorflow", "keras": "keras", "lightgbm": "lightgbm",
           "catboost": "catboost", "transformers": "transformers", "xgboost": "xgboost", "pyspark": "pyspark",
           "mxnet": "mxnet", "jax": "jax"}  # fmt: skip
"""Large libraries by the name that is imported, with the name that is installed."""
_LACKS: Mapping[str, frozenset[str]] = {
    "sagemaker-scikit-learn": frozenset(_BRINGS),
    "sagemaker-xgboost": frozenset(_BRINGS) - {"xgboost"},
    "pytorch-training": frozenset({"tensorflow", "keras", "lightgbm", "catboost", "pyspark", "mxnet", "jax"}),
    "tensorflow-training": frozenset({"torch", "lightgbm", "catboost", "pyspark", "mxnet", "transformers"}),
}
"""What AWS's images are certain not to have; of everything else nothing is said."""
_COMMON = frozenset(
    {*_BRINGS, "numpy", "pandas", "scipy", "sklearn", "joblib", "boto3", "sagemaker", "requests", "yaml"}
)
_ONE_LETTER = 0.85
_REQUIREMENTS = "requirements.txt"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@rule(
    "X870",
    "import-without-package",
    Severity.WARNING,
    source="AWS's scikit-learn-container, xgboost-container and deep-learning-containers; sagemaker-training-toolkit",
)
def import_without_package(subject: Subject) -> Iterator[Fault]:
    """A step's script imports a large library that its image does not have, and no requirements.txt beside it brings:
    the job is started, paid for, and ends with ModuleNotFoundError. Imports inside of try or of a function, and images
    of one's own, are not looked at.

    Bad:  import torch  in a script that runs in the scikit-learn image
    Good: a requirements.txt with torch beside it, or the PyTorch image
    """
    code = shipped(subject)
    if not code:
        return
    for at, text, placed, (uri, first) in _scripts(subject):
        image = parse(text)
        lacks = _LACKS.get(image.repository, frozenset()) if image is not None else frozenset()
        files = _at(code, uri)
        if not lacks or image is None:
            continue
        for script, line, name in _missing(files, first, lacks):
            message = f"{script}:{line} imports {name}, which {image.repository} does not have"
            help_text = f"add {_BRINGS[name]} to a requirements.txt beside {script}, or use another image"
            yield Fault(at, message, help_text, placed)


@rule(
    "X871",
    "requirements-not-installed",
    Severity.WARNING,
    source="sagemaker-scikit-learn-container and other processing images: only the training toolkit installs it",
)
def requirements_not_installed(subject: Subject) -> Iterator[Fault]:
    """A requirements.txt lies beside the script of a Processing step whose command starts Python itself. A training
    job's toolkit installs it, a processing job does not: the script runs without what it asks for.

    Bad:  Processing("Prepare", code="prepare", entry="prepare.py", …)  with prepare/requirements.txt
    Good: Processing("Prepare", code="prepare", entry="start.sh", command=["bash"], …)  where start.sh runs pip first
    """
    code = shipped(subject)
    for at, _, placed, (uri, script) in _scripts(subject) if code else ():
        if placed.step.type == "Processing" and _REQUIREMENTS in _at(code, uri):
            help_text = "start a shell script that runs pip first, or use an image that has them"
            message = f"{_REQUIREMENTS} lies beside {script}, and a processing job does not install it"
            yield Fault(at, message, help_text, placed)


@rule(
    "X872",
    "import-of-another-name",
    Severity.WARNING,
    source="Python: what lies beside a script is imported by the name of its file",
)
def import_of_another_name(subject: Subject) -> Iterator[Fault]:
    """A script imports a module that is not there, and one of nearly that name lies beside it. What Python has itself
    and what requirements bring is not told.

    Bad:  from featurs import make  beside features.py
    Good: from features import make
    """
    code = shipped(subject)
    if not code:
        return
    from difflib import get_close_matches  # a definition in JSON ships nothing, and need not wait for it

    for at, _, placed, (uri, script) in _scripts(subject):
        files = _at(code, uri)
        file = files.get(script)
        if file is None or len(files) < 2:
            continue
        beside = {name.partition("/")[0].removesuffix(".py") for name in files if name.endswith(".py")}
        beside.discard(script.removesuffix(".py"))
        installed = _installed(files.get(_REQUIREMENTS))
        for name, line in _imports(file):
            if name in beside or name in sys.stdlib_module_names or name in _COMMON:
                continue
            (other, *_) = [*get_close_matches(name, beside, n=1, cutoff=_ONE_LETTER), None]
            if other is None or name.lower().replace("_", "-") in installed:
                continue
            message = f"{script}:{line} imports {name}, and beside it lies {other}"
            yield Fault(at, message, f"did you mean {other!r}?", placed)


def _scripts(subject: Subject) -> Iterator[tuple[str, str, Placed, tuple[str, str]]]:
    """Where the image stands, its URI, the step, and the URI of the code with the name of the script in it."""
    for container in subject.containers:
        image, at, placed = literal(subject, container.image), container.image_at, container.placed
        if container.job is None or not isinstance(image, str):
            continue
        values = container.job.request.get("HyperParameters")
        folder, program = (_plain(get(values, f"sagemaker_{name}")) for name in ("submit_directory", "program"))
        if folder and program:
            yield at, image, placed, (folder, program)
        command = container.settings.get("ContainerEntrypoint")
        words = [word for word in command if isinstance(word, str)] if isinstance(command, tuple) else []
        script = next((basename(word) for word in words if word.endswith(".py")), None)
        for _, item in entries(container.job.request, "ProcessingInputs"):
            uri = get(item, "S3Input", "S3Uri")
            if isinstance(uri, str) and script is not None:
                yield at, image, placed, (uri, script)


def _at(code: Mapping[str, Mapping[str, Path]], uri: str) -> Mapping[str, Path]:
    """A folder of code is named with a slash, a script by its own object."""
    return code.get(uri.rstrip("/")) or code.get(uri.rpartition("/")[0]) or {}


def _plain(value: Value) -> str | None:
    return value.strip('"') if isinstance(value, str) else None


def _missing(files: Mapping[str, Path], script: str, lacks: frozenset[str]) -> Iterator[tuple[str, int, str]]:
    """File, line and name of each import, of the script and of what it imports from beside it, that nothing brings."""
    installed = _installed(files.get(_REQUIREMENTS))
    queue, seen = [script], {script}
    while queue:
        name = queue.pop()
        file = files.get(name)
        if file is None:
            continue
        for module, line in _imports(file):
            beside = [path for path in (f"{module}.py", f"{module}/__init__.py") if path in files]
            queue += [path for path in beside if path not in seen]
            seen.update(beside)
            if not beside and module in lacks and _BRINGS[module] not in installed:
                yield name, line, module


def _installed(requirements: Path | None) -> frozenset[str]:
    if requirements is None:
        return frozenset()
    try:
        lines = requirements.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    if any(line.strip().startswith(("-", "git+", "http")) for line in lines):
        return frozenset(_BRINGS.values())  # what a further file or index brings is not known
    names = {match[1].lower().replace("_", "-") for line in lines if (match := _REQUIREMENT.match(line))}
    return frozenset(names | {name.removesuffix("-cpu").removesuffix("-gpu") for name in names})


def _imports(file: Path) -> tuple[tuple[str, int], ...]:
    """Top-level names that are imported for certain: not inside of try or of a function."""
    try:
        about = file.stat()
    except OSError:
        return ()
    return _imports_as_they_are(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _imports_as_they_are(file: Path, changed: int, size: int) -> tuple[tuple[str, int], ...]:
    """``changed`` and ``size`` tell an edited file from what was read of it before."""
    tree = parsed(file)
    statements = [] if tree is None else tree.body
    found = [(name.outermost, node.lineno) for node in statements for name in imported(node) if not name.level]
    return tuple(dict.fromkeys(found))
