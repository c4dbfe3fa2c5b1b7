"""Where steps write, and who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from mlops.check.expressions import fold
from mlops.check.graph import exclude_each_other
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get

_OUTPUTS = ("/S3Output/S3Uri", "/S3OutputPath")
_INPUTS = ("/S3Input/S3Uri", "/S3DataSource/S3Uri", "/ModelDataUrl")
_JSON = "/Std:JsonGet/S3Uri"


def _written(subject: Subject) -> Iterator[tuple[str, str, Placed]]:
    return _texts(subject, _OUTPUTS)


def _read(subject: Subject) -> Iterator[tuple[str, str, Placed]]:
    return _texts(subject, _INPUTS)


def _texts(subject: Subject, places: tuple[str, ...]) -> Iterator[tuple[str, str, Placed]]:
    for at, value, placed in subject.uris:
        if isinstance(value, str) and at.endswith(places) and value.startswith("s3://"):
            yield at, value.rstrip("/"), placed


def _joined(subject: Subject, places: tuple[str, ...]) -> Iterator[tuple[str, str, Placed]]:
    """URIs that are joined of nothing but texts and parameters, at the parameters' defaults."""
    for placed, feed in subject.feeds:
        text = fold(subject, feed.expression) if feed.at.endswith(places) else None
        if text is not None and text.startswith("s3://"):
            yield feed.at, text.rstrip("/"), placed


def _prefixes(uri: str) -> Iterator[str]:
    """The URI and every prefix of it that ends at a slash, below the bucket."""
    parts = uri.split("/")
    for count in range(len(parts), 3 if uri.startswith("s3://") else 0, -1):
        yield "/".join(parts[:count])


@rule("X830", "overwritten-output", Severity.WARNING, source="three public repositories do it; the later write wins")
def overwritten_output(subject: Subject) -> Iterator[Fault]:
    """Two outputs are written to one S3 prefix. Jobs that name their folder themselves (training, tuning) are left out.

    Bad:  two steps with "S3Uri": "s3://acme/out"
    Good: "s3://acme/out/train" and "s3://acme/out/report"
    """
    seen: dict[str, tuple[str, Placed]] = {}
    for at, uri, placed in (*_written(subject), *_joined(subject, _OUTPUTS)):
        if not at.endswith(("/S3Output/S3Uri", "/TransformOutput/S3OutputPath")):
            continue
        first = seen.setdefault(uri, (at, placed))
        if first[0] != at and not exclude_each_other(first[1], placed):
            message = f"{first[1].step.name!r} writes to {uri} too"
            yield Fault(at, message, "give each output a prefix of its own", placed)


@rule(
    "X831", "own-input-overwritten", Severity.WARNING, source="a second execution would read what the first has written"
)
def own_input_overwritten(subject: Subject) -> Iterator[Fault]:
    """A step writes to the S3 prefix that it reads, or below it.

    Bad:  a Transform from "s3://acme/batch" to "s3://acme/batch"
    Good: to "s3://acme/scores"
    """
    reads: dict[str, set[str]] = {}
    for _, uri, placed in (*_read(subject), *_joined(subject, _INPUTS)):
        reads.setdefault(placed.pointer, set()).add(uri)
    for at, uri, placed in (*_written(subject), *_joined(subject, _OUTPUTS)):
        read = reads.get(placed.pointer, set())
        around = next((other for other in read if uri.startswith(f"{other.rstrip('/')}/")), None)
        if uri in read:
            yield Fault(at, f"the step reads {uri} too", "write elsewhere", placed)
        elif around is not None:
            message = f"the step reads all below {around}, also what it writes here"
            yield Fault(at, message, "write beside it", placed)


@rule(
    "X832",
    "literal-upstream-output",
    Severity.WARNING,
    source="without a reference or DependsOn, steps run at the same time",
)
def literal_upstream_output(subject: Subject) -> Iterator[Fault]:
    """A step reads what another step writes and does not wait for it: both name the place, by the same text, by the
    same parameter or its default, or joined of such and of the execution's id.

    Bad:  "S3Uri": "s3://acme/report"
    Good: "S3Uri": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}
    """
    places = tuple(_places(subject))
    writers: dict[str, list[Placed]] = defaultdict(list)
    downstream: dict[str, set[str]] = {}
    followers: dict[str, list[str]] = defaultdict(list)
    for edges in subject.graph.edges.values():
        for edge in edges:
            followers[edge.upstream].append(edge.step)
    for place in places:
        if place.at.endswith(_OUTPUTS):
            for uri in place.uris:
                writers[uri].append(place.placed)
    for place in places:
        if not place.at.endswith((*_INPUTS, _JSON)):
            continue
        found = [(uri, writer) for uri in place.uris for prefix in _prefixes(uri) for writer in writers.get(prefix, ())]
        for uri, writer in found:
            name, reader = writer.step.name, place.placed
            if name == reader.step.name or writer is reader or exclude_each_other(writer, reader):
                continue
            if name not in downstream:
                downstream[name] = _downstream(followers, name)
            if reader.step.name not in downstream[name]:
                message = f"{name!r} writes {_readable(uri)}, and this step does not wait for it"
                yield Fault(place.at, message, "refer to the output, or add DependsOn", reader)
                break


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in S3 that is read or written, in the forms by which it can be compared: with the names of parameters and
    of what only the execution knows, and with the parameters' defaults."""

    at: str
    uris: tuple[str, ...]
    placed: Placed


def _places(subject: Subject) -> Iterator[_Place]:
    for at, value, placed in subject.uris:
        if at.endswith((*_OUTPUTS, *_INPUTS)):
            yield from _place(subject, at, value, placed)
    for site in subject.sites:
        if isinstance(site.expression, JsonGet) and site.placed is not None:
            yield from _place(subject, f"{site.at}{_JSON}", site.expression.s3_uri, site.placed)


def _place(subject: Subject, at: str, value: Value, placed: Placed) -> Iterator[_Place]:
    spelled, plain = _spelled(value), fold(subject, value)
    forms = [text.rstrip("/") for text in (plain, spelled) if text is not None]
    known = tuple(
        dict.fromkeys(text for text in forms if text.startswith(("s3://", _MARK)) and len(text) > len("s3://"))
    )
    if known:
        yield _Place(at, known, placed)


_MARK = "\0"
"""Around a name in a spelled text: no URI holds it."""


def _spelled(value: Value) -> str | None:
    """A text in which parameters and execution variables stand by their names; None where a step decides it, since then
    the reader waits for that step."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case Ref() if (path := value.path) is not None and path.root in ("Parameters", "Execution"):
            return f"{_MARK}{value.expression}{_MARK}"
        case Join():
            texts = [_spelled(item) for item in value.values]
            known = [text for text in texts if text is not None]
            return value.on.join(known) if len(known) == len(texts) else None
    return None


def _readable(uri: str) -> str:
    return "".join(f"{{{part}}}" if index % 2 else part for index, part in enumerate(uri.split(_MARK)))


def _downstream(followers: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """Every step that waits for this one, directly or not."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        for follower in followers.get(stack.pop(), ()):
            if follower not in seen:
                seen.add(follower)
                stack.append(follower)
    return seen


_DATASETS = ("baseline_dataset_input", "dataset")


@rule(
    "X939",
    "model-as-data",
    Severity.WARNING,
    source="AWS docs: your-algorithms-training-algo-output: model.tar.gz is an archive of the model's files",
)
def model_as_data(subject: Subject) -> Iterator[Fault]:
    """What a training made, an archive of a model, is read as rows: by a Transform, an AutoML job or a check of data.

    Bad:  a TransformInput of {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    Good: a TransformInput of {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"}
    """
    for at, value, placed in _read_as_rows(subject):
        path = value.path if isinstance(value, Ref) else None
        trained = path is not None and path.root == "Steps" and path.segments == ("ModelArtifacts", "S3ModelArtifacts")
        if trained or (fold(subject, value) or "").endswith("/model.tar.gz"):
            message = "this is the archive of a model, and rows are read here"
            yield Fault(f"{at}/Get" if trained else at, message, "read the data", placed)


def _read_as_rows(subject: Subject) -> Iterator[tuple[str, Value, Placed]]:
    source = ("DataSource", "S3DataSource", "S3Uri")
    for placed, arguments in subject.of_type("Transform"):
        members = ("TransformInput", *source)
        yield f"{placed.pointer}/Arguments/{'/'.join(members)}", get(arguments, *members), placed
    for placed, arguments in subject.of_type("AutoML"):
        for where, channel in entries(arguments, "InputDataConfig"):
            yield f"{placed.pointer}/Arguments{where}/{'/'.join(source)}", get(channel, *source), placed
    for placed, arguments in subject.of_type("QualityCheck", "ClarifyCheck"):
        for where, item in entries(arguments, "ProcessingInputs"):
            if item.get("InputName") in _DATASETS:
                yield f"{placed.pointer}/Arguments{where}/S3Input/S3Uri", get(item, "S3Input", "S3Uri"), placed
