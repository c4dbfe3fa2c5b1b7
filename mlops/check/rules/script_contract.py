"""What a script reads and takes, against what its step gives it: channels, hyperparameters, options, paths."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path

from mlops.check.expressions import literal
from mlops.check.jobs import TUNING, searched_ranges
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.script_texts import Texts
from mlops.check.scripts import Script, scripts
from mlops.check.subject import Subject, literal_texts
from mlops.ir import JsonGet, Ref, Severity, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.json_path import PathMissing
from mlops.ir.json_path import parse as parse_path
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.project.python_files import parsed, syntax_error

_DATA, _CHANNEL, _HYPERPARAMETER = "/opt/ml/input/data/", "SM_CHANNEL_", "SM_HP_"
_PROCESSING = "/opt/ml/processing/"
_UNSEEN = ("_tuning_objective_metric", "default_user_module_name")
"""Hyperparameters that the toolkit keeps from the script, beside those that begin with sagemaker_."""

_DUMPS = ("dump", "dumps")
_JSON = ("json", "simplejson", "ujson", "orjson")
_TELLS = ("print", "pprint", "debug", "info", "warning", "error")
_WRITES = ("write", "write_text", "write_bytes", "writelines", "to_json", "copy", "copyfile", "move")


@dataclass(frozen=True, slots=True)
class _Option:
    names: tuple[str, ...]
    required: bool = False
    is_flag: bool = False
    kind: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reads:
    """What a script wants for certain. ``variables``, ``folders`` of channels and ``paths`` of a processing job with
    their lines, ``strange`` those below no folder that it makes itself; ``options`` of the parser whose ``parse_args``
    the script calls, None where it has none or that is not plain."""

    variables: tuple[tuple[str, int], ...] = ()
    folders: tuple[tuple[str, int], ...] = ()
    paths: tuple[tuple[str, int], ...] = ()
    strange: tuple[tuple[str, int], ...] = ()
    options: tuple[_Option, ...] | None = None
    takes_others: bool = False
    fills: bool = False
    """It brings variables of its environment itself."""
    writes: tuple[ast.Dict, int] | None = None
    """The one object that it writes as JSON, where all of it stands in the script, with its line."""
    broken: SyntaxError | None = None


@dataclass(slots=True)
class _Found:
    texts: Texts
    variables: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    looked_for: set[str] = field(default_factory=set)
    options: list[_Option] = field(default_factory=list)
    parses: bool = False
    takes_others: bool = False
    is_plain: bool = True
    fills: bool = False
    dumps: list[ast.Call] = field(default_factory=list)
    writes_more: bool = False
    uses: Counter[str] = field(default_factory=Counter)
    """How often a name is read, but for being printed."""


def _read(file: Path) -> _Reads:
    try:
        about = file.stat()
    except OSError:
        return _Reads()
    return _read_as_it_is(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _read_as_it_is(file: Path, changed: int, size: int) -> _Reads:
    """``changed`` and ``size`` tell an edited file from what was read of it before."""
    tree = parsed(file)
    if tree is None:
        return _Reads(broken=syntax_error(file))
    found = _Found(Texts(tree))
    try:
        for node in ast.walk(tree):
            _note(node, found)
        for node in tree.body:
            _walk(node, found)
    except RecursionError:  # deeper than anybody writes
        return _Reads()
    own = {path for path in found.made | found.looked_for if path}
    return _Reads(
        tuple((name, line) for name, line in found.variables.items() if name not in found.asked),
        tuple((name, line) for name, line in found.folders.items() if f"{_DATA}{name}" not in found.looked_for),
        tuple(found.paths.items()),
        tuple((path, line) for path, line in found.paths.items() if not any(_below(path, item) for item in own)),
        tuple(found.options) if found.parses and found.is_plain else None,
        found.takes_others,
        found.fills,
        _written(found),
    )


def _written(found: _Found) -> tuple[ast.Dict, int] | None:
    if len(found.dumps) != 1 or found.writes_more:
        return None
    (call,) = found.dumps
    if not call.args or not _is_json(call.func):
        return None
    dumped = call.args[0]
    if isinstance(dumped, ast.Name) and found.uses[dumped.id] > 1:
        return None  # whoever else has it may put something into it
    value = found.texts.value(dumped)
    return (value, value.lineno) if isinstance(value, ast.Dict) else None


def _note(node: ast.AST, found: _Found) -> None:
    """What takes doubts away, wherever it stands, inside of try too."""
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Store()) if _is_environ(value):
            found.asked.add(name)
        case ast.Call(
            func=ast.Attribute(attr="get" | "setdefault", value=value), args=[ast.Constant(value=str(name)), *_]
        ) if _is_environ(value):
            found.asked.add(name)
        case ast.Call(
            func=ast.Attribute(attr="getenv") | ast.Name(id="getenv"), args=[ast.Constant(value=str(name)), *_]
        ):
            found.asked.add(name)
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()]):
            found.asked.add(name)
        case ast.Call(func=ast.Attribute(attr="update", value=value)) | ast.AugAssign(target=value) if _is_environ(
            value
        ):
            found.fills = True
        case ast.Call(func=ast.Name(id="load_dotenv") | ast.Attribute(attr="load_dotenv")):
            found.fills = True
        case ast.Call(func=ast.Attribute(attr="makedirs" | "mkdir", value=owner), args=args):
            found.made |= _paths(found, owner, *args[:1])
        case ast.Call(
            func=ast.Attribute(attr="exists" | "isdir" | "isfile" | "is_dir" | "is_file", value=owner), args=args
        ):
            found.looked_for |= _paths(found, owner, *args[:1])
        case ast.Name(id=name, ctx=ast.Load()):
            found.uses[name] += 1
        case ast.Call(func=function, args=args):
            _note_call(node, function, args, found)


def _note_call(call: ast.Call, function: ast.expr, args: Sequence[ast.expr], found: _Found) -> None:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _DUMPS:
        found.dumps.append(call)
    elif name in _TELLS:
        found.uses.subtract(item.id for item in args if isinstance(item, ast.Name))
    elif name in _WRITES:
        values = [found.texts.value(item) for item in args]
        dumps = (item for value in values if value is not None for item in ast.walk(value))
        found.writes_more |= not any(isinstance(item, ast.Call) and _is_json(item.func) for item in dumps)


def _paths(found: _Found, *nodes: ast.expr) -> set[str]:
    return {path.rstrip("/") for node in nodes for path in found.texts.all(node)}


def _is_json(function: ast.expr) -> bool:
    """``json.dump`` and ``json.dumps``, of whichever library."""
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _DUMPS
        and isinstance(function.value, ast.Name)
        and function.value.id in _JSON
    )


def _walk(node: ast.AST, found: _Found) -> None:
    """Everything but what may fail without harm: bodies of try, and texts that have a hole."""
    if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
        texts = found.texts.all(node)
        if texts:
            for text in texts:
                _name(text, node.lineno, found)
            return
    match node:
        case ast.Try() | ast.JoinedStr():
            return
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()) if _is_environ(value):
            found.variables.setdefault(name, node.lineno)
        case ast.Call(
            func=ast.Attribute(attr="get" | "getenv" | "setdefault" | "exists" | "isdir" | "isfile" | "glob")
        ):
            return
        case ast.Call(func=ast.Attribute(attr="add_argument")):
            _add(node, found)
        case ast.Call(func=ast.Attribute(attr="parse_args")):
            found.parses = True
        case ast.Call(func=ast.Attribute(attr="parse_known_args")):
            found.parses = found.takes_others = True
        case ast.Call(
            func=ast.Attribute(attr="add_subparsers" | "add_argument_group" | "add_mutually_exclusive_group")
        ):
            found.is_plain = False
    paths, folders = dict(found.paths), dict(found.folders)
    for inner in ast.iter_child_nodes(node):
        _walk(inner, found)
    if _is_fallback(node):
        found.paths, found.folders = paths, folders


def _name(text: str, line: int, found: _Found) -> None:
    if text.startswith(_DATA) and len(text) > len(_DATA):
        found.folders.setdefault(text[len(_DATA) :].partition("/")[0], line)
    if text.startswith(_PROCESSING) and len(text) > len(_PROCESSING):
        found.paths.setdefault(text.rstrip("/"), line)


def _is_fallback(node: ast.AST) -> bool:
    """What stands in it may be in nobody's way: a default that is given another value, one of two."""
    return isinstance(node, ast.BoolOp | ast.IfExp | ast.arguments) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
    )


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_environ(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def _add(call: ast.Call, found: _Found) -> None:
    names = tuple(item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str))
    said = {item.arg: item.value for item in call.keywords}
    if len(names) != len(call.args) or not names or None in said:
        found.is_plain = False
        return
    action, kind = said.get("action"), said.get("type")
    found.options.append(
        _Option(
            names,
            required=_constant(said.get("required")) is True,
            is_flag=str(_constant(action)).startswith(("store_", "count", "append_const")),
            kind=kind.id if isinstance(kind, ast.Name) else None,
            choices=_choices(said.get("choices")),
        )
    )


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _choices(node: ast.AST | None) -> tuple[str, ...]:
    """Those that are written out, and none where one is not."""
    listed = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    values = [_constant(item) for item in listed]
    return tuple(map(str, values)) if all(isinstance(value, str | int | float) for value in values) else ()


def _python(subject: Subject) -> Iterator[tuple[Script, _Reads]]:
    for script in scripts(subject):
        if script.file is not None and script.name.endswith(".py"):
            yield script, _read(script.file)


def _hyperparameters(subject: Subject, script: Script) -> dict[str, str] | None:
    """The places of those that the script gets, by name; None where they are not known yet."""
    values = get(script.job.request, script.member) if script.member is not None else None
    if not isinstance(values, Mapping):
        return None
    at = f"{script.job.at}/{script.member}"
    found = {name: at + pointer(name) for name in values if not name.startswith("sagemaker_") and name not in _UNSEEN}
    for tuning in subject.jobs[TUNING]:
        if tuning.placed is script.placed:
            found |= {item.name: f"{item.at}/Name" for item in searched_ranges(tuning, script.job)}
    return found


@rule(
    "X937",
    "script-of-no-python",
    Severity.ERROR,
    source="CPython: a file that does not parse ends with SyntaxError before its first line runs",
)
def script_of_no_python(subject: Subject) -> Iterator[Fault]:
    """A script that is to run as Python does not parse. In an image of one's own, whose Python is
    not known, it is a warning.

    Bad:  train.py with "def main(:"
    Good: train.py with "def main():"
    """
    for script, reads in _python(subject):
        if reads.broken is not None:
            images = [container.image for container in subject.containers if container.job is script.job]
            image = named_image(subject, images[0]) if images else None
            known = image is not None and image.repository.startswith(_BRINGS_NOTHING)
            message = f"{script.name}:{reads.broken.lineno or 1} is no Python: {reads.broken.msg}"
            severity = None if known else Severity.WARNING
            yield Fault(script.at, message, "mend it: it ends before it begins", script.placed, severity=severity)


@rule(
    "X923",
    "channel-not-given",
    Severity.WARNING,
    source="sagemaker-training-toolkit: SM_CHANNEL_<name>, SM_HP_<name>; AWS docs: /opt/ml/input/data/<channel>",
)
def channel_not_given(subject: Subject) -> Iterator[Fault]:
    """A training script reads the folder of a channel, or the variable of a channel or a hyperparameter, that its job
    does not have: it ends with KeyError or finds no file. What is read inside of try, or with a default, is not told.

    Bad:  os.environ["SM_CHANNEL_TEST"] in a job with the channel "train" only
    Good: os.environ["SM_CHANNEL_TRAIN"]
    """
    for script, reads in _python(subject):
        if script.member is None:
            continue
        listed = list(entries(script.job.request, "InputDataConfig"))
        named = [item.get("ChannelName") for _, item in listed]
        channels = [name for name in named if isinstance(name, str)]
        if len(channels) != len(named) or not isinstance(script.job.request.get("InputDataConfig", ()), tuple):
            continue
        given, hyperparameters = {name.upper() for name in channels}, _hyperparameters(subject, script)
        has = f"the job has {', '.join(channels)}" if channels else "the job has no channel"
        for name, line in reads.variables:
            if name.startswith(_CHANNEL) and name.removeprefix(_CHANNEL) not in given:
                message = f"{script.name}:{line} reads {name}, and {has}"
                wanted = name.removeprefix(_CHANNEL).lower()
                yield Fault(script.at, message, f'add the channel "{wanted}", or read another', script.placed)
            known = {key.upper() for key in hyperparameters} if hyperparameters is not None else None
            if name.startswith(_HYPERPARAMETER) and known is not None and name[len(_HYPERPARAMETER) :] not in known:
                message = f"{script.name}:{line} reads {name}, and the job has no such hyperparameter"
                yield Fault(script.at, message, "add the hyperparameter, or read it with a default", script.placed)
        for folder, line in reads.folders:
            if folder not in channels:
                message = f"{script.name}:{line} reads {_DATA}{folder}, and {has}"
                yield Fault(script.at, message, f'add the channel "{folder}", or read another', script.placed)


_BRINGS_NOTHING = ("sagemaker-scikit-learn", "sagemaker-xgboost", "pytorch-", "tensorflow-", "huggingface-", "mxnet-")
"""Repositories of AWS whose images set no variable of somebody's own."""
_OF_THE_MACHINE = re.compile(
    r"(SM|SMP|SAGEMAKER|AWS|ECS|MLOPS|TRAINING_JOB|PROCESSING_JOB|NVIDIA|CUDA|CUDNN|NCCL|LD|LC|OMP|MKL|OMPI|PMI|PMIX|FI|HOROVOD|DMLC|"
    r"TF|KERAS|HF|TRANSFORMERS|TORCH|PYTORCH|MXNET|XGB|SPARK|HADOOP|JAVA|PYTHON|VIRTUAL_ENV|CONDA|PIP|GROUP|LOCAL|NODE|ROLE)_?.*|"
    r"PATH|HOME|LANG|LANGUAGE|USER|LOGNAME|SHELL|HOSTNAME|PWD|TMPDIR|TEMP|TMP|TERM|TZ|CURRENT_HOST|RANK|WORLD_SIZE|"
    r"MASTER_ADDR|MASTER_PORT|DEBIAN_FRONTEND|DISPLAY"
)
"""Set by the service, the image or a launcher."""


@rule(
    "X928",
    "variable-not-given",
    Severity.WARNING,
    source="CreateTrainingJob and CreateProcessingJob API: Environment; the guide names no other ones",
)
def variable_not_given(subject: Subject) -> Iterator[Fault]:
    """A script reads a variable that its step's environment does not have, in one of AWS's framework images, which has
    none of that name: it ends with KeyError. What is read inside of try, with a default or after it was asked for, and
    scripts that load variables themselves are not looked at.

    Bad:  os.environ["TARGET_REGION"] in a step without "Environment": {"TARGET_REGION": ...}
    Good: os.environ.get("TARGET_REGION", "us-east-1")
    """
    for container in subject.containers if subject.definition.assets else ():
        image = named_image(subject, container.image)
        if container.job is None or image is None or not image.repository.startswith(_BRINGS_NOTHING):
            continue
        values = container.job.request.get("Environment", {})
        if not isinstance(values, Mapping) or any(name.startswith("MLOPS_SECRET") for name in values):
            continue
        for script, reads in _python(subject):
            if script.job is not container.job or reads.fills:
                continue
            for name, line in reads.variables:
                if name not in values and not _OF_THE_MACHINE.fullmatch(name):
                    message = f"{script.name}:{line} reads the variable {name}, and the step's environment has none"
                    help_text = did_you_mean(name, values) or "add it to Environment, or read it with a default"
                    yield Fault(script.at, message, help_text, script.placed)


@rule(
    "X925",
    "folder-not-given",
    Severity.WARNING,
    source="CreateProcessingJob API: only the folders that inputs name are filled, only those of outputs are uploaded",
)
def folder_not_given(subject: Subject) -> Iterator[Fault]:
    """A processing script names a path below /opt/ml/processing that no input of its job fills and no output takes:
    what it reads is not there, and what it writes is lost. A folder that the script makes itself is its own; defaults,
    and what it asks for before, are not told.

    Bad:  pd.read_csv("/opt/ml/processing/input/data/x.csv") in a job whose input lies in /opt/ml/processing/input/raw
    Good: pd.read_csv("/opt/ml/processing/input/raw/x.csv")
    """
    for script, reads in _python(subject):
        known = _processing_folders(script) if script.member is None and reads.strange else None
        if known is None:
            continue
        for path, line in reads.strange:
            if not any(_below(path, folder) or _below(folder, path) for folder in known):
                near = ", ".join(sorted(known))
                message = f"{script.name}:{line} names {path}, which no input fills and no output takes"
                yield Fault(script.at, message, f"the job has {near}", script.placed)


def _processing_folders(script: Script) -> frozenset[str] | None:
    """Where inputs and outputs lie in the container; None where one is not known."""
    request = script.job.request
    found: list[Value] = []
    for members, sources in (
        (("ProcessingInputs",), ("S3Input", "DatasetDefinition")),
        (("ProcessingOutputConfig", "Outputs"), ("S3Output", "FeatureStoreOutput")),
    ):
        listed = get(request, *members)
        items = list(entries(request, *members))
        if listed is not None and (not isinstance(listed, tuple) or len(items) != len(listed)):
            return None
        for _, item in items:
            source = next((item[name] for name in sources if item.get(name) is not None), None)
            found.append(get(source, "LocalPath"))
    texts = [path.rstrip("/") for path in found if isinstance(path, str)]
    return frozenset(texts) if texts and len(texts) == len(found) else None


@rule(
    "X926",
    "report-of-another-name",
    Severity.WARNING,
    source="AWS docs: a property file is read from the output when the step has ended",
)
def report_of_another_name(subject: Subject) -> Iterator[Fault]:
    """A script writes a JSON file into the output of a property file, under another name than that which is read: the
    step that reads it fails when everything before it was paid for.

    Bad:  open("/opt/ml/processing/output/report/metrics.json", "w") for the report "report/evaluation.json"
    Good: open("/opt/ml/processing/output/report/evaluation.json", "w")
    """
    for script, reads in _python(subject):
        declared = [file for file in subject.property_files if file.placed is script.placed]
        outputs = {
            item.get("OutputName"): get(item, "S3Output", "LocalPath")
            for _, item in entries(script.job.request, "ProcessingOutputConfig", "Outputs")
        }
        if script.member is not None or not reads.paths:
            continue
        for report in declared:
            file, folder = report.text("FilePath"), outputs.get(report.text("OutputName"))
            if not isinstance(folder, str) or file is None:
                continue
            written = [
                (path, line)
                for path, line in reads.paths
                if _below(path, folder.rstrip("/")) and path.endswith(".json")
            ]
            stem = file.rpartition("/")[2].removesuffix(".json")
            if written and not any(path == f"{folder.rstrip('/')}/{file}" for path, _ in written):
                if _is_said(script, stem):
                    continue
                path, line = written[0]
                message = f"{script.name}:{line} writes {path}, and what is read is {file}"
                yield Fault(script.at, message, "use one name for both", script.placed)


@rule(
    "X929",
    "value-not-in-report",
    Severity.WARNING,
    source="AWS docs: build-and-manage-propertyfile; a value that is not in the file fails the step that reads it",
)
def value_not_in_report(subject: Subject) -> Iterator[Fault]:
    """A value is read of a report that its script does not write: the step that reads it fails when the script has run.
    Told only where the script writes one JSON object, all of whose keys stand in it.

    Bad:  {"Std:JsonGet": {..., "Path": "precision"}} of a script with json.dump({"accuracy": accuracy}, file)
    Good: "Path": "accuracy"
    """
    written = {
        script.placed.step.name: (script, *reads.writes)
        for script, reads in _python(subject)
        if script.member is None and reads.writes is not None
    }
    for site in subject.sites if written else ():
        read = site.expression
        if not isinstance(read, JsonGet) or not isinstance(read.property_file, Ref) or not isinstance(read.path, str):
            continue
        path = read.property_file.path
        known = written.get(path.name) if path is not None and path.root == "Steps" else None
        if known is None or len([file for file in subject.property_files if file.placed is known[0].placed]) != 1:
            continue
        script, report, line = known
        missing = _not_written(report, read.path)
        if missing is not None:
            name, keys = missing
            message = f"{script.name}:{line} writes a report without {name!r}, and {read.path} is read of it"
            help_text = did_you_mean(name, keys) or f"it writes {', '.join(keys)}"
            yield Fault(f"{site.at}/Std:JsonGet/Path", message, help_text, site.placed)


def _not_written(report: ast.Dict, path: str) -> tuple[str, list[str]] | None:
    """The first name of the path that is not there, with those that are."""
    try:
        segments = parse_path(path)
    except PathMissing:
        return None
    here: ast.expr = report
    for segment in segments:
        if not isinstance(here, ast.Dict):
            return None
        values = dict(zip(map(_constant, here.keys), here.values, strict=True))
        keys = [key for key in values if isinstance(key, str)]
        if len(keys) != len(here.keys) or not isinstance(segment, str):
            return None
        if segment not in keys:
            return segment, keys
        here = values[segment]
    return None


def _is_said(script: Script, word: str) -> bool:
    """In what the step ships or gives its script: then the name may be put together of that."""
    request = script.job.request
    given = literal_texts((get(request, "AppSpecification"), get(request, "Environment")), "")
    return any(word in text for _, text in given) or any(
        word in file.read_text(encoding="utf-8", errors="replace")
        for name, file in script.files.items()
        if name.endswith(".py") and file.is_file()
    )


@rule(
    "X924",
    "option-the-script-lacks",
    Severity.WARNING,
    source="sagemaker-training-toolkit: hyperparameters become options --<name> <value>; argparse ends on others",
)
def option_the_script_lacks(subject: Subject) -> Iterator[Fault]:
    """A hyperparameter or an argument that the script's parser does not know or cannot take, or one that it requires
    and nobody gives: argparse ends the script with 2. A flag (store_true) cannot be a hyperparameter, which always has
    a value, and what takes an integer or one of some words gets no other. Parsers with groups or commands, and of other
    libraries, are not looked at.

    Bad:  "HyperParameters": {"learning-rte": "0.1"} for a script with --learning-rate
    Good: "HyperParameters": {"learning-rate": "0.1"}
    """
    for script, reads in _python(subject):
        if reads.options is None:
            continue
        if script.member is not None:
            given = _hyperparameters(subject, script)
            if given is not None:
                spelled = {f"--{name}" if len(name) > 1 else f"-{name}": at for name, at in given.items()}
                yield from _told(script, reads, spelled, reads.options)
                values = get(script.job.request, script.member)
                given_words = _spelled_values(subject, script, values if isinstance(values, Mapping) else {})
                yield from _values(script, given_words, reads.options)
            continue
        words = _arguments(subject, script)
        if words is not None:
            yield from _told(script, reads, {name: at for name, (at, _) in words.items()}, reads.options)
            # Behind a flag the next word may be one of the script's own.
            flags = {name for option in reads.options if option.is_flag for name in option.names}
            yield from _after_flags(script, reads, {name: words[name] for name in words.keys() & flags})
            yield from _values(script, {name: words[name] for name in words.keys() - flags}, reads.options)


def _after_flags(script: Script, reads: _Reads, given: Mapping[str, tuple[str, str | None]]) -> Iterator[Fault]:
    """A word behind a flag, of which a parser without words of its own (positional arguments) makes nothing."""
    takes_words = any(not name.startswith("-") for option in reads.options or () for name in option.names)
    for name, (at, word) in given.items() if not takes_words and not reads.takes_others else ():
        if word is not None:
            message = f"{name} is a flag in {script.name}, which takes no value, and {word} follows it"
            yield Fault(at, message, f"leave {word} out", script.placed)


def _told(script: Script, reads: _Reads, given: Mapping[str, str], options: tuple[_Option, ...]) -> Iterator[Fault]:
    known = [name for option in options for name in option.names if name.startswith("-")]
    taken = {name: match for name in given if (match := _match(name, known)) is not None}
    for name, at in given.items():
        if name not in taken and not reads.takes_others and name not in ("--help", "-h"):
            help_text = did_you_mean(name, known) or "add it to the script's parser, or leave it out"
            yield Fault(at, f"{script.name} has no option {name}", help_text, script.placed)
    for option in options:
        if option.required and not set(option.names) & set(taken.values()):
            message = f"{script.name} requires {option.names[-1]}, and the step does not give it"
            yield Fault(script.at, message, "add it", script.placed)


def _match(name: str, known: list[str]) -> str | None:
    """argparse takes an option's beginning for the whole, where only one begins so."""
    if name in known:
        return name
    begin = [option for option in known if option.startswith(name)] if name.startswith("--") else []
    return begin[0] if len(begin) == 1 else None


def _spelled_values(subject: Subject, script: Script, values: Mapping[str, Value]) -> dict[str, tuple[str, str | None]]:
    """The place and the word of each hyperparameter by its option."""
    at = f"{script.job.at}/{script.member}"
    return {
        (f"--{name}" if len(name) > 1 else f"-{name}"): (at + pointer(name), _word(literal(subject, value)))
        for name, value in values.items()
    }


def _values(
    script: Script, given: Mapping[str, tuple[str, str | None]], options: tuple[_Option, ...]
) -> Iterator[Fault]:
    by_name = {name: option for option in options for name in option.names}
    for name, (at, word) in given.items():
        option = by_name.get(name)
        if option is None:
            continue
        if option.is_flag:
            message = f"{name} is a flag in {script.name}, and a hyperparameter comes with a value"
            yield Fault(at, message, "let the option take a value, e.g. type=str", script.placed)
        elif word is not None and option.choices and word not in option.choices:
            help_text = f"one of {', '.join(option.choices)}"
            yield Fault(at, f"{name} of {script.name} does not take {word}", help_text, script.placed)
        elif word is not None and option.kind in ("int", "float") and not _is(word, option.kind):
            noun = {"int": "an integer", "float": "a number"}[option.kind]
            help_text = f"give {noun}, or let the script take another type"
            yield Fault(at, f"{name} of {script.name} takes {noun}, and gets {word}", help_text, script.placed)


def _word(value: Value) -> str | None:
    """As the toolkit writes it on the command line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return None
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return str(decoded) if isinstance(decoded, str | int | float) else None


def _is(word: str, kind: str) -> bool:
    try:
        _ = int(word) if kind == "int" else float(word)
    except ValueError:
        return False
    return True


def _arguments(subject: Subject, script: Script) -> dict[str, tuple[str, str | None]] | None:
    """The options on a processing job's command line, each with its place and the one word that follows it, as far as
    that is known; None where the list is not."""
    line: list[tuple[str, str | None]] = []
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        listed = get(script.job.request, "AppSpecification", member)
        if listed is not None and not isinstance(listed, tuple):
            return None
        after = member == "ContainerArguments"
        for index, word in enumerate(listed or ()):
            at = script.job.at + pointer("AppSpecification", member, index)
            text = literal(subject, word)
            if after:
                is_number = isinstance(text, int | float) and not isinstance(text, bool)
                line.append((at, str(text) if is_number else text if isinstance(text, str) else None))
            after = after or at == script.at
    found: dict[str, tuple[str, str | None]] = {}
    for index, (at, text) in enumerate(line):
        if text is None or not text.startswith("--") or len(text) == 2:
            continue
        name, equals, value = text.partition("=")
        following = [word for _, word in line[index + 1 : index + 3]]
        alone = following[:1] and (len(following) == 1 or (following[1] or "").startswith("-"))
        word = following[0] if alone and not (following[0] or "-").startswith("-") else None
        found.setdefault(name, (at, value if equals else word))
    return found
