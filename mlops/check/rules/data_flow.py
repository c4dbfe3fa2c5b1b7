"""Where steps write, and who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from mlops.check.expressions import fold
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import JsonGet, Placed, Severity

_OUTPUTS = ("/S3Output/S3Uri", "/S3OutputPath")
_INPUTS = ("/S3Input/S3Uri", "/S3DataSource/S3Uri", "/ModelDataUrl")


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


def _json_files(subject: Subject) -> Iterator[tuple[str, str, Placed]]:
    """Files that JsonGet reads by their URI."""
    for site in subject.sites:
        if isinstance(site.expression, JsonGet) and site.placed is not None:
            text = fold(subject, site.expression.s3_uri)
            if text is not None and text.startswith("s3://"):
                yield f"{site.at}/Std:JsonGet/S3Uri", text.rstrip("/"), site.placed


def _prefixes(uri: str) -> Iterator[str]:
    """The URI and every prefix of it that ends at a slash, below the bucket."""
    parts = uri.split("/")
    for count in range(len(parts), 3, -1):
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
        if first[0] != at and not _exclude_each_other(first[1], placed):
            message = f"{first[1].step.name!r} writes to {uri} too"
            yield Fault(at, message, "give each output a prefix of its own", placed)


def _exclude_each_other(one: Placed, other: Placed) -> bool:
    own = dict(one.branches)
    return any(own.get(container, member) != member for container, member in other.branches)


@rule(
    "X831", "own-input-overwritten", Severity.WARNING, source="a second execution would read what the first has written"
)
def own_input_overwritten(subject: Subject) -> Iterator[Fault]:
    """A step writes to the S3 prefix that it reads.

    Bad:  a Transform from "s3://acme/batch" to "s3://acme/batch"
    Good: to "s3://acme/scores"
    """
    reads: dict[str, set[str]] = {}
    for _, uri, placed in (*_read(subject), *_joined(subject, _INPUTS)):
        reads.setdefault(placed.pointer, set()).add(uri)
    for at, uri, placed in (*_written(subject), *_joined(subject, _OUTPUTS)):
        if uri in reads.get(placed.pointer, ()):
            yield Fault(at, f"the step reads {uri} too", "write elsewhere", placed)


@rule(
    "X832",
    "literal-upstream-output",
    Severity.WARNING,
    source="without a reference or DependsOn, steps run at the same time",
)
def literal_upstream_output(subject: Subject) -> Iterator[Fault]:
    """A step reads by its literal URI what another step writes, and does not wait for it.

    Bad:  "S3Uri": "s3://acme/report"
    Good: "S3Uri": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}
    """
    writers: dict[str, Placed] = {}
    downstream: dict[str, set[str]] = {}
    followers: dict[str, list[str]] = defaultdict(list)
    for edges in subject.graph.edges.values():
        for edge in edges:
            followers[edge.upstream].append(edge.step)
    for _, uri, placed in _written(subject):
        writers.setdefault(uri, placed)
    for at, uri, placed in (*_read(subject), *_json_files(subject)):
        writer = next((writers[prefix] for prefix in _prefixes(uri) if prefix in writers), None)
        if writer is None or writer is placed or writer.step.name == placed.step.name:
            continue
        name = writer.step.name
        if name not in downstream:
            downstream[name] = _downstream(followers, name)
        if placed.step.name not in downstream[name]:
            message = f"{writer.step.name!r} writes {uri}, and this step does not wait for it"
            yield Fault(at, message, "refer to the output, or add DependsOn", placed)


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
