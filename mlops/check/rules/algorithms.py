"""Built-in algorithms: what their containers want, by what is known of each (``mlops.knowledge.algorithms``).

Their containers refuse what they do not know: "Extraneous hyperparameter found" and "Extraneous channel found" are
XGBoost's words (sagemaker_algorithm_toolkit), "Additional hyperparameters are not allowed" those of the others (seen of
image-classification and seq2seq). What an algorithm merely does not use, or may read all the same, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops.check.algorithm_trainings import SOURCE, AlgorithmTraining, deciding, is_number, narrowed, trainings
from mlops.check.expressions import literal
from mlops.check.instances import accelerator
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

if TYPE_CHECKING:
    from mlops.knowledge.algorithms import ChannelKind


@rule(
    "X850",
    "algorithm-hyperparameter",
    Severity.ERROR,
    source="'No value(s) were specified for ... which are required hyperparameter(s)'; AWS docs",
)
def algorithm_hyperparameter(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm misses a hyperparameter that it requires, also one that the value of another requires, or
    gets a word for a number, a number beyond the limits or a value that is none of the choices: of all, or of those
    that the value of another leaves; or a number that is above the one that it may reach.

    Bad:  k-means without "feature_dim"
    Good: {"k": "10", "feature_dim": "784"}
    """
    for found in trainings(subject):
        name, values, placed = found.name, found.values, found.job.placed
        at = f"{found.job.at}/{found.member}"
        plain = {key: value.strip('"') for key, value in values.items() if isinstance(value, str)}
        for wanted in found.algorithm.hyperparameters.values():
            if wanted.required and wanted.name not in found.given:
                # An AWS notebook leaves out all of them, which may be a stub.
                severity = None if values else Severity.WARNING
                message = f"{name} requires {wanted.name}"
                yield Fault(f"{at}/{wanted.name}", message, "add it", placed, severity=severity)
        for condition in found.algorithm.required_if:
            for key in condition.names if condition.holds(plain) else ():
                if key not in found.given:
                    why = " and ".join(f"{other} {plain[other]}" for other in condition.when)
                    yield Fault(f"{at}/{key}", f"{name} requires {key} with {why}", "add it", placed)
        for key, value in values.items():
            known = found.algorithm.hyperparameters.get(key)
            if known is None or not isinstance(value, str) or known.takes(value):
                continue
            where = at + pointer(key)
            if known.kind in ("integer", "number") and not is_number(value):
                yield Fault(where, f"{key} is {shown(value)}, a number is wanted", None, placed)
            elif known.kind == "integer" and not float(value.strip('"')).is_integer():
                yield Fault(where, f"{key} is {shown(value)}, an integer is wanted", None, placed)
            else:
                message = f"{key} is {shown(value)}, {known.wanted} is wanted"
                help_text = did_you_mean(value.strip('"'), [str(item) for item in known.one_of])
                yield Fault(where, message, help_text, placed)

        yield from _together(found, at)


def _together(found: AlgorithmTraining, at: str) -> Iterator[Fault]:
    """Values that are taken each, and not beside each other."""
    values, placed, known = found.values, found.job.placed, found.algorithm.hyperparameters
    taken = {
        key: value.strip().strip('"')
        for key, value in values.items()
        if isinstance(value, str) and key in known and known[key].takes(value)
    }
    for narrowing, why in narrowed(found):
        for key in narrowing.condition.names:
            word = narrowing.refused(taken[key]) if key in taken else None
            if word is not None:
                message = f"{found.name} does not take {key} {word} with {why}"
                left = f"one of {', '.join(narrowing.one_of)}" if narrowing.one_of else f"leave {word} out"
                yield Fault(at + pointer(key), message, left, placed)
    for names in found.algorithm.ascending:
        numbers = [(key, float(taken[key])) for key in names if key in taken and known[key].kind != "text"]
        for (low, least), (high, most) in pairwise(numbers):
            if least > most:
                message = f"{low} is {least:g}, and {high}, which it may reach, is {most:g}"
                yield Fault(at + pointer(low), message, f"lower {low}, or raise {high}", placed)


@rule("X855", "unknown-hyperparameter", Severity.ERROR, source=SOURCE)
def unknown_hyperparameter(subject: Subject) -> Iterator[Fault]:
    """A hyperparameter that the built-in algorithm does not have: its container refuses it.

    Bad:  "featuredim": "784" for k-means
    Good: "feature_dim": "784"
    """
    for found in trainings(subject):
        for key in found.values:
            if key not in found.algorithm.hyperparameters and not key.startswith(("_", "sagemaker_")):
                where = f"{found.job.at}/{found.member}{pointer(key)}"
                help_text = (
                    did_you_mean(key, found.algorithm.hyperparameters)
                    or "remove it: the container refuses what it does not know"
                )
                message = f"{found.name} has no hyperparameter {key!r}"
                yield Fault(where, message, help_text, found.job.placed)


@rule("X858", "idle-hyperparameter", Severity.WARNING, source=SOURCE)
def idle_hyperparameter(subject: Subject) -> Iterator[Fault]:
    """Hyperparameters that the built-in algorithm reads only where another one has a certain value, which it has not,
    or only with a channel that is not there, or that stand there by both of their names. What has its default is not
    told; what Amazon's own examples do all the same is a note, what the container refuses then an error.

    Bad:  "word_ngrams": "3" for BlazingText with "mode": "skipgram"
    Good: "word_ngrams": "3" with "mode": "supervised"
    """
    for found in trainings(subject):
        known, values = found.algorithm.hyperparameters, found.values
        for condition in found.algorithm.only_if:
            plain = deciding(found, condition)
            if plain is None or condition.holds(plain):
                continue
            idle = [
                name
                for name in condition.names
                if isinstance(value := values.get(name), str) and not known[name].is_default(value)
            ]
            if idle:
                where = f"{found.job.at}/{found.member}{pointer(idle[0])}"
                wanted = " and ".join(f"{name} {' or '.join(some)}" for name, some in condition.when.items())
                does = "takes" if condition.refused else "reads"
                message = f"{found.name} {does} {', '.join(idle)} only with {wanted}"
                severity = Severity.ERROR if condition.refused else Severity.INFO if condition.usual else None
                help_text = f"remove {'it' if len(idle) == 1 else 'them'}"
                yield Fault(where, message, help_text, found.job.placed, severity=severity)
        for name, other in found.algorithm.aliases:
            if name in values and other in values and values[name] != values[other]:
                where = f"{found.job.at}/{found.member}{pointer(other)}"
                yield Fault(
                    where, f"{other} is another name of {name}, which has a value", "keep one", found.job.placed
                )
        channels = [item.get("ChannelName") for _, item in entries(found.job.request, "InputDataConfig")]
        known_channels = channels and all(isinstance(channel, str) for channel in channels)
        for name, channel in found.algorithm.only_with.items() if known_channels and "_kfold" not in values else ():
            if name in values and channel not in channels:
                message = f"{found.name} reads {name} only with a channel {channel!r}"
                where = f"{found.job.at}/{found.member}{pointer(name)}"
                yield Fault(where, message, "add the channel, or remove it", found.job.placed)


@rule("X851", "algorithm-input", Severity.ERROR, source=SOURCE)
def algorithm_input(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm lacks a channel that it requires, or gets one that it does not know, of a type that it does
    not read, in a mode that it does not read by or distributed as it does not take it; or what it does not read with
    the hyperparameters that it has. FastFile, which looks like File to a container, is a warning.

    Bad:  "ContentType": "application/json"
    Good: "ContentType": "text/csv"
    """
    for found in trainings(subject):
        name, job, kinds = found.name, found.job, found.algorithm.channels
        default = found.container.settings.get("TrainingInputMode")
        listed = list(entries(job.request, "InputDataConfig"))
        left = list(narrowed(found))
        names = [channel.get("ChannelName") for _, channel in listed]
        for where, channel in listed:
            at, called = job.at + where, channel.get("ChannelName")
            kind = kinds.get(called) if isinstance(called, str) else None
            if isinstance(called, str) and kind is None:
                help_text = did_you_mean(called, kinds) or f"it reads {', '.join(kinds)}"
                yield Fault(f"{at}/ChannelName", f"{name} has no channel {called!r}", help_text, job.placed)
            content = channel.get("ContentType")
            form = content.partition(";")[0].strip().lower() if isinstance(content, str) else None
            types = kind.content_types if kind is not None else ()
            mode = channel.get("InputMode", default)
            if types and form is not None and form not in types:
                help_text = f"e.g. {types[0]}"
                yield Fault(f"{at}/ContentType", f"{name} does not read {content}", help_text, job.placed)
            elif kind is not None and mode == "Pipe" and form in kind.not_piped:
                message = f"{name} reads {content} as files alone, and this channel is piped"
                yield Fault(f"{at}/ContentType", message, 'set its "InputMode" to "File"', job.placed)
            if kind is not None:
                yield from _distributed(name, at, kind, channel, job.placed)
                yield from _read_otherwise(name, at, kind, channel, names, job.placed)
            for narrowing, why in left if kind is not None and types else ():
                if form in types and narrowing.content_types and form not in narrowing.content_types:
                    message = f"{name} does not read {content} with {why}"
                    yield Fault(f"{at}/ContentType", message, f"e.g. {narrowing.content_types[0]}", job.placed)
                if narrowing.input_modes and mode in found.algorithm.input_modes and mode not in narrowing.input_modes:
                    place = f"{at}/InputMode" if "InputMode" in channel else f"{found.container.at}/TrainingInputMode"
                    help_text = f"it reads by {' and '.join(narrowing.input_modes)} then"
                    yield Fault(place, f"{name} does not read by {mode} with {why}", help_text, job.placed)
            if mode in ("File", "Pipe", "FastFile") and mode not in found.algorithm.input_modes:
                place = f"{at}/InputMode" if "InputMode" in channel else f"{found.container.at}/TrainingInputMode"
                help_text = f"it reads by {' and '.join(found.algorithm.input_modes)}"
                looks_right = mode == "FastFile" and "File" in found.algorithm.input_modes
                severity = Severity.WARNING if looks_right else None
                yield Fault(place, f"{name} does not read by {mode}", help_text, job.placed, severity=severity)
        if listed and all(isinstance(called, str) for called in names):
            for wanted, kind in kinds.items():
                if kind.required and wanted not in names:
                    message = f"{name} requires a channel {wanted!r}"
                    yield Fault(f"{job.at}/InputDataConfig", message, "add it", job.placed)
            for narrowing, why in left:
                if narrowing.channel is not None and narrowing.channel not in names:
                    message = f"{name} requires a channel {narrowing.channel!r} with {why}"
                    yield Fault(f"{job.at}/InputDataConfig", message, "add it", job.placed)


def _distributed(
    name: str, at: str, kind: ChannelKind, channel: Mapping[str, Value], placed: Placed
) -> Iterator[Fault]:
    source = get(channel, "DataSource", "S3DataSource")
    # The API's text: FullyReplicated where nothing is said.
    given = get(source, "S3DataDistributionType") or "FullyReplicated"
    if kind.distribution is not None and source is not None and isinstance(given, str) and given != kind.distribution:
        message = f"{name} takes this channel {kind.distribution} alone, not {given}"
        where = f"{at}/DataSource/S3DataSource/S3DataDistributionType"
        yield Fault(where, message, f"write {kind.distribution}", placed)


def _read_otherwise(
    name: str, at: str, kind: ChannelKind, channel: Mapping[str, Value], names: list[Value], placed: Placed
) -> Iterator[Fault]:
    """A file that is not of the type by which it is read, and a type that needs another channel."""
    content, source = channel.get("ContentType"), get(channel, "DataSource", "S3DataSource")
    uri = get(source, "S3Uri")
    if kind.default_type is not None and "ContentType" not in channel and isinstance(uri, str):
        ending = uri.rpartition(".")[2].lower()
        if ending in ("csv", "parquet") and ending not in kind.default_type:
            message = f"{name} reads a channel without ContentType as {kind.default_type}, and this is a .{ending} file"
            yield Fault(f"{at}/ContentType", message, f"add {_TYPES[ending]}", placed, severity=Severity.WARNING)
    size = _said_label_size(content)
    if kind.label_size is not None and size is not None and size != kind.label_size:
        message = f"{name} takes this channel with label_size={kind.label_size} alone"
        yield Fault(f"{at}/ContentType", message, f"write text/csv;label_size={kind.label_size}", placed)
    wanted = kind.beside.get(content) if isinstance(content, str) else None
    if wanted is not None and wanted not in names and get(source, "S3DataType") != "AugmentedManifestFile":
        message = f"{name} reads {content} by what a channel {wanted!r} says of it, and there is none"
        help_text = "add the channel, or use an augmented manifest"
        yield Fault(f"{at}/ContentType", message, help_text, placed, severity=Severity.WARNING)


def _said_label_size(content: Value) -> int | None:
    from mlops.knowledge.algorithms import label_size  # where an algorithm is named alone

    return label_size(content) if isinstance(content, str) else None


_TYPES = {"csv": "text/csv", "parquet": "application/x-parquet"}


@rule("X856", "algorithm-machine", Severity.WARNING, source=SOURCE)
def algorithm_machine(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm on instances that it does not train on, or on more of them than it can use. One that trains
    on a GPU alone, or on one instance alone, ends with an error elsewhere; the rest are warnings.

    Bad:  the image-classification algorithm on ml.m5.xlarge
    Good: the image-classification algorithm on ml.p3.2xlarge
    """
    for found in trainings(subject):
        machine = found.container.machine
        if machine is None:
            continue
        kind, count = literal(subject, machine.type), literal(subject, machine.settings.get(machine.counted))
        has = accelerator(kind) if isinstance(kind, str) else None
        for narrowing, why in narrowed(found):
            if has in found.algorithm.devices and narrowing.devices and has not in narrowing.devices:
                help_text = f"it wants a {' or '.join(narrowing.devices).upper()} then"
                message = f"{found.name} does not train on {kind} with {why}"
                yield Fault(machine.type_at, message, help_text, machine.placed, severity=Severity.ERROR)
            few = narrowing.max_instances
            if few is not None and isinstance(count, int) and count > few:
                message = f"{found.name} trains on {few} instance at most with {why}, and asks for {shown(count)}"
                at = f"{machine.at}/{machine.counted}"
                yield Fault(at, message, f"set it to {few}", machine.placed, severity=Severity.ERROR)
        if has is not None and has not in found.algorithm.devices:
            help_text = f"it wants a {' or '.join(found.algorithm.devices).upper()}"
            ends = Severity.ERROR if found.algorithm.devices == ("gpu",) and has == "cpu" else None
            message = f"{found.name} does not train on {kind}"
            yield Fault(machine.type_at, message, help_text, machine.placed, severity=ends)
        most = found.algorithm.max_instances
        if most is not None and isinstance(count, int) and count > most:
            message = f"{found.name} trains on {most} instance at most, and asks for {shown(count)}"
            at, help_text = f"{machine.at}/{machine.counted}", f"set it to {most}"
            yield Fault(at, message, help_text, machine.placed, severity=Severity.ERROR)


@rule(
    "X859",
    "long-spot-of-an-algorithm",
    Severity.WARNING,
    source="AWS docs: model-managed-spot-training, built-in algorithms that do not checkpoint",
)
def long_spot_of_an_algorithm(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm trains on spot instances without checkpoints, and may wait longer than the hour that such a
    job is given at most.

    Bad:  k-means on spot instances with "MaxWaitTimeInSeconds": 14400 and no CheckpointConfig
    Good: "MaxWaitTimeInSeconds": 3600, or a CheckpointConfig for an algorithm that writes checkpoints
    """
    for found in trainings(subject):
        request = found.job.request
        if request.get("EnableManagedSpotTraining") is not True or request.get("CheckpointConfig") is not None:
            continue
        wait = literal(subject, get(request, "StoppingCondition", "MaxWaitTimeInSeconds"))
        if isinstance(wait, int) and not isinstance(wait, bool) and wait > _WAIT_WITHOUT_CHECKPOINTS:
            where = f"{found.job.at}/StoppingCondition/MaxWaitTimeInSeconds"
            message = f"{found.name} without checkpoints waits and runs {_WAIT_WITHOUT_CHECKPOINTS} s at most on spot"
            help_text = "lower it, train on demand, or write checkpoints where the algorithm can"
            yield Fault(where, message, help_text, found.job.placed)


_WAIT_WITHOUT_CHECKPOINTS = 3600
