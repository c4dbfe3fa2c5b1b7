"""What the inputs and outputs of a processing job must agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import normpath

from mlops.check.expressions import fold
from mlops.check.jobs import PROCESSING
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_ROOT = "/opt/ml/processing"


def _inputs(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for start, job, placed in subject.jobs[PROCESSING]:
        for at, item in entries(job, "ProcessingInputs"):
            yield start + at, item, placed


def _outputs(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for start, job, placed in subject.jobs[PROCESSING]:
        for at, item in entries(job, "ProcessingOutputConfig", "Outputs"):
            yield start + at, item, placed


def _local_paths(
    subject: Subject, items: Iterator[tuple[str, Mapping[str, Value], Placed]], source: str
) -> Iterator[tuple[str, str, Placed]]:
    for at, item, placed in items:
        path = fold(subject, get(item, source, "LocalPath"))
        if path:
            yield f"{at}/{source}/LocalPath", path.rstrip("/"), placed


@rule("X780", "duplicate-port-name", Severity.ERROR, source="follows from references by name")
def duplicate_port_name(subject: Subject) -> Iterator[Fault]:
    """Two inputs, or two outputs, of a processing job have one name, or one has an empty name.

    Bad:  two Outputs "report"
    Good: "report" and "plots"
    """
    for found, key in ((_inputs(subject), "InputName"), (_outputs(subject), "OutputName")):
        seen: dict[tuple[str, str], str] = {}
        for at, item, placed in found:
            name = item.get(key)
            if name == "":
                yield Fault(f"{at}/{key}", f"{key} is empty", "name it", placed)
            elif isinstance(name, str):
                first = seen.setdefault((placed.pointer, name), at)
                if first != at:
                    message = f"{key} {name!r} stands at {first} already"
                    yield Fault(f"{at}/{key}", message, "rename one of them", placed)


@rule("X781", "input-source", Severity.ERROR, source="CreateProcessingJob API: ProcessingInput")
def input_source(subject: Subject) -> Iterator[Fault]:
    """An input has an S3Input or a DatasetDefinition: one of both; and a LocalPath, unless the application reads S3
    itself.

    Bad:  {"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw", "S3DataType": "S3Prefix"}}
    Good: the same with "LocalPath": "/opt/ml/processing/raw"
    """
    for at, item, placed in _inputs(subject):
        given = [name for name in ("S3Input", "DatasetDefinition") if item.get(name) is not None]
        if len(given) == 2:
            message = "S3Input and DatasetDefinition exclude each other"
            yield Fault(f"{at}/DatasetDefinition", message, "keep one of them", placed)
        elif not given:
            yield Fault(f"{at}/S3Input", "the input has no source", "add S3Input", placed)
        queries = ("AthenaDatasetDefinition", "RedshiftDatasetDefinition")
        if all(get(item, "DatasetDefinition", name) is not None for name in queries):
            message = f"{' and '.join(queries)} exclude each other"
            yield Fault(f"{at}/DatasetDefinition/{queries[1]}", message, "make two inputs of them", placed)
        dataset = item.get("DatasetDefinition")
        if isinstance(dataset, Mapping) and all(dataset.get(name) is None for name in queries):
            yield Fault(f"{at}/DatasetDefinition", "the dataset has no query", f"add {' or '.join(queries)}", placed)
        for name in ("S3Input", "DatasetDefinition"):
            source = item.get(name)
            managed = item.get("AppManaged", False)
            if isinstance(source, Mapping) and managed is False and source.get("LocalPath") is None:
                yield Fault(f"{at}/{name}/LocalPath", "the input has no LocalPath", "add it", placed)


@rule("X786", "compressed-file-input", Severity.ERROR, source="CreateProcessingJob API: Gzip only with Pipe")
def compressed_file_input(subject: Subject) -> Iterator[Fault]:
    """An input is to be unpacked, which works in Pipe mode only.

    Bad:  "S3CompressionType": "Gzip", "S3InputMode": "File"
    Good: "S3CompressionType": "Gzip", "S3InputMode": "Pipe"
    """
    for at, item, placed in _inputs(subject):
        if get(item, "S3Input", "S3CompressionType") == "Gzip" and get(item, "S3Input", "S3InputMode") == "File":
            yield Fault(f"{at}/S3Input/S3CompressionType", "Gzip works with Pipe only", "write None", placed)


@rule("X782", "output-target", Severity.ERROR, source="CreateProcessingJob API: ProcessingOutput")
def output_target(subject: Subject) -> Iterator[Fault]:
    """An output goes to a feature store, which is AppManaged, or has an S3Output, with a LocalPath to upload: one of
    both.

    Bad:  {"FeatureStoreOutput": {...}, "AppManaged": false}
    Good: {"FeatureStoreOutput": {...}, "AppManaged": true}
    """
    for at, item, placed in _outputs(subject):
        if item.get("FeatureStoreOutput") is not None and item.get("AppManaged", False) is False:
            message = "an output to a feature store has to be AppManaged"
            yield Fault(f"{at}/FeatureStoreOutput", message, 'set "AppManaged": true', placed)
        elif item.get("FeatureStoreOutput") is not None and item.get("S3Output") is not None:
            message = "S3Output and FeatureStoreOutput exclude each other"
            yield Fault(f"{at}/FeatureStoreOutput", message, "keep one of them", placed)
        elif item.get("S3Output") is None and item.get("FeatureStoreOutput") is None:
            yield Fault(f"{at}/S3Output", "the output goes nowhere", "add S3Output", placed)
        target = item.get("S3Output")
        if isinstance(target, Mapping) and item.get("AppManaged", False) is False and target.get("LocalPath") is None:
            message = "the output has no LocalPath, so nothing is uploaded"
            yield Fault(f"{at}/S3Output/LocalPath", message, f'e.g. "{_ROOT}/output"', placed)


@rule("X783", "local-path-outside", Severity.ERROR, source="AWS docs: local paths begin with /opt/ml/processing/")
def local_path_outside(subject: Subject) -> Iterator[Fault]:
    """A LocalPath outside of /opt/ml/processing.

    Bad:  "LocalPath": "/opt/ml/input/data/train"
    Good: "LocalPath": "/opt/ml/processing/train"
    """
    inputs = (
        path for source in ("S3Input", "DatasetDefinition") for path in _local_paths(subject, _inputs(subject), source)
    )
    paths = (*inputs, *_local_paths(subject, _outputs(subject), "S3Output"))
    for at, path, placed in paths:
        plain = normpath(path)
        if plain != _ROOT and not plain.startswith(f"{_ROOT}/"):
            help_text = f'e.g. "{_ROOT}/{plain.rpartition("/")[2] or "input"}"'
            yield Fault(at, f"{shown(path)} is not below {_ROOT}", help_text, placed)


@rule(
    "X784", "shared-local-path", Severity.ERROR, source="a refusal comparing input and output paths: sdk#1950, sdk#4939"
)
def shared_local_path(subject: Subject) -> Iterator[Fault]:
    """An output in an input's directory or the other way round, or two inputs in one directory. Two outputs of one
    directory, or of one inside of the other, are a warning; an input inside of another input is common and fine.

    Bad:  an input and an output at "/opt/ml/processing/data"
    Good: "/opt/ml/processing/input" and "/opt/ml/processing/output"
    """
    for _, _, placed in subject.jobs[PROCESSING]:
        inputs = list(_of(placed, "in"))
        outputs = list(_of(placed, "out"))
        for found, severity in ((inputs, None), (outputs, Severity.WARNING)):
            seen: dict[str, str] = {}
            for at, path in found:
                first = seen.setdefault(path, at)
                if first != at:
                    yield Fault(at, f"{shown(path)} is used at {first} already", None, placed, severity=severity)
        for at, path in outputs:
            outer = next((other for _, other in outputs if path != other and _same_tree(path, other)), None)
            if outer is not None:
                message = f"{shown(path)} is inside of the output's {shown(outer)}, and is uploaded twice"
                help_text = "give each output a directory of its own"
                yield Fault(at, message, help_text, placed, severity=Severity.WARNING)
        for at, path in inputs:
            around = next((other for _, other in outputs if path != other and _same_tree(path, other)), None)
            if around is not None:
                message = (
                    f"the input's {shown(path)} is inside of the output's {shown(around)}, and is uploaded with it"
                )
                help_text = "give the input a directory of its own"
                yield Fault(at, message, help_text, placed, severity=Severity.WARNING)
        for at, path in outputs:
            clash = next((other for _, other in inputs if _same_tree(path, other)), None)
            if clash is not None:
                message = f"the output's {shown(path)} and the input's {shown(clash)} lie in one another"
                yield Fault(at, message, "give the output a directory of its own", placed)


def _of(placed: Placed, side: str) -> Iterator[tuple[str, str]]:
    members = ("ProcessingInputs",) if side == "in" else ("ProcessingOutputConfig", "Outputs")
    source = "S3Input" if side == "in" else "S3Output"
    for at, item in entries(placed.step.arguments, *members):
        path = get(item, source, "LocalPath")
        if isinstance(path, str):
            yield f"{placed.pointer}/Arguments{at}/{source}/LocalPath", path.rstrip("/")


def _same_tree(output: str, other: str) -> bool:
    return output == other or output.startswith(f"{other}/")


@rule(
    "X785",
    "entry-script-missing",
    Severity.WARNING,
    source="official SDK's script processors put code below /opt/ml/processing/input/code",
)
def entry_script_missing(subject: Subject) -> Iterator[Fault]:
    """The entrypoint runs a script that no input brings: it lies in no input's directory, or the input is a single file
    of another name, or is piped.

    Bad:  ["python3", "/opt/ml/processing/code/prep.py"] with inputs below /opt/ml/processing/input only
    Good: an input with "LocalPath": "/opt/ml/processing/code"
    """
    for placed, arguments in subject.of_type("Processing"):
        command = get(arguments, "AppSpecification", "ContainerEntrypoint")
        start = f"{placed.pointer}/Arguments/AppSpecification/ContainerEntrypoint"
        listed = arguments.get("ProcessingInputs", ())
        items = list(entries(arguments, "ProcessingInputs"))
        if not isinstance(listed, tuple) or len(items) != len(listed):
            continue  # something is not known yet
        pairs = [(get(item, "S3Input", "LocalPath"), get(item, "S3Input", "S3Uri")) for _, item in items]
        known = [(path, fold(subject, uri) or uri) for path, uri in pairs]
        if not all(isinstance(path, str) for path, _ in known):
            continue
        piped = {
            str(get(item, "S3Input", "LocalPath")).rstrip("/")
            for _, item in items
            if get(item, "S3Input", "S3InputMode") == "Pipe"
        }
        for index, word in enumerate(command if isinstance(command, tuple) else ()):
            if not isinstance(word, str) or not word.startswith(f"{_ROOT}/") or not word.endswith((".py", ".sh", ".R")):
                continue
            folder, _, name = word.rpartition("/")
            holding = [
                uri for path, uri in known if isinstance(path, str) and f"{folder}/".startswith(f"{path.rstrip('/')}/")
            ]
            if not holding:
                yield Fault(f"{start}/{index}", f"no input brings {word}", "correct the path", placed)
                continue
            if folder in piped:
                message = f"{word} is to be run, and its input is piped, not written as files"
                yield Fault(f"{start}/{index}", message, 'set that input\'s S3InputMode to "File"', placed)
                continue
            exact = [uri for path, uri in known if isinstance(path, str) and path.rstrip("/") == folder]
            files = [uri.rpartition("/")[2] for uri in exact if isinstance(uri, str)]
            single = len(files) == len(holding) == 1 and files[0].endswith((".py", ".sh", ".R", ".csv", ".parquet"))
            if single and files[0] != name:
                yield Fault(f"{start}/{index}", f"the input brings {files[0]}, not {name}", "correct the name", placed)


@rule("X787", "processing-instances", Severity.ERROR, source="CreateProcessingJob API: ProcessingClusterConfig")
def processing_instances(subject: Subject) -> Iterator[Fault]:
    """A processing job's ClusterConfig says neither which instances it wants, nor how many.

    Bad:  {"VolumeSizeInGB": 30}
    Good: {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    """
    for at, job, placed in subject.jobs[PROCESSING]:
        config = get(job, *PROCESSING.machines)
        if not isinstance(config, Mapping) or config.get("InstancePreferences") is not None:
            continue
        for name in ("InstanceType", "InstanceCount"):
            if name not in config:
                where = at + pointer(*PROCESSING.machines, name)
                yield Fault(where, f"ClusterConfig has no {name}", f"add {name}", placed)


@rule("X788", "command-as-one-word", Severity.WARNING, source="CreateProcessingJob API: each entry is one argument")
def command_as_one_word(subject: Subject) -> Iterator[Fault]:
    """A container's entrypoint is one text with blanks: no shell takes it apart, so the whole of it is looked for as a
    program.

    Bad:  "ContainerEntrypoint": ["python3 /opt/ml/processing/input/code/prepare.py"]
    Good: "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"]
    """
    for container in subject.containers:
        command = container.settings.get("ContainerEntrypoint")
        first = command[0] if isinstance(command, tuple) and command else None
        if isinstance(first, str) and " " in first.strip():
            words = ", ".join(f'"{word}"' for word in first.split()[:4])
            where = f"{container.at}/ContainerEntrypoint/0"
            help_text = f"write one entry per word: [{words}]"
            yield Fault(where, f"there is no program {shown(first)}", help_text, container.placed)
