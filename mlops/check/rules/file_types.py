"""What a file in S3 is called, against what a job is told that it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.algorithm_trainings import trainings
from mlops.check.expressions import fold, literal
from mlops.check.jobs import TRAINING, TRANSFORM
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS

_BY_ENDING: Mapping[str, str] = {
    ".csv": "csv", ".parquet": "parquet", ".json": "json", ".jsonl": "json", ".libsvm": "libsvm", ".svm": "libsvm",
    ".rec": "recordio", ".recordio": "recordio",
}  # fmt: skip
_WORDS = ("csv", "parquet", "json", "libsvm", "recordio")
_PACKED = (".gz", ".zip", ".bz2", ".tar", ".tgz")
_BINARY = ("image/", "audio/", "video/", "application/x-image", "application/x-parquet", "application/x-npy",
           "application/x-npz", "application/octet-stream", "application/pdf")  # fmt: skip
_PLACE = ("DataSource", "S3DataSource", "S3Uri")


def _inputs(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    """Channels of trainings, and what transforms read."""
    for at, job, placed in subject.jobs[TRAINING]:
        for where, channel in entries(job, "InputDataConfig"):
            yield at + where, channel, placed
    for at, job, placed in subject.jobs[TRANSFORM]:
        read = job.get("TransformInput")
        if isinstance(read, Mapping):
            yield f"{at}/TransformInput", read, placed


@rule("X912", "file-of-another-type", Severity.WARNING, source="what endings of files and content types are for")
def file_of_another_type(subject: Subject) -> Iterator[Fault]:
    """A file is read as another type than its name tells; or it is packed, and nobody unpacks it: a transform without
    CompressionType, or a built-in algorithm that reads files as they are.

    Bad:  "ContentType": "text/csv" for s3://acme/train.parquet
    Good: "ContentType": "application/x-parquet" for it
    """
    for at, item, placed in _inputs(subject):
        content = literal(subject, item.get("ContentType"))
        if not isinstance(content, str):
            continue
        uri = (fold(subject, get(item, *_PLACE)) or "").lower()
        said = next((word for word in _WORDS if word in content.lower()), None)
        is_said = next((kind for ending, kind in _BY_ENDING.items() if uri.endswith(ending)), None)
        if said is not None and is_said is not None and said != is_said:
            message = f"{shown(uri.rpartition('/')[2])} is read as {content}"
            yield Fault(f"{at}/ContentType", message, "name the type that it has", placed)
    for at, job, placed in subject.jobs[TRANSFORM]:
        read = job.get("TransformInput")
        uri = (fold(subject, get(read, *_PLACE)) or "").lower()
        packed = uri.endswith((".gz", ".bz2")) and not uri.endswith(".tar.gz")  # of archives X939 speaks
        if packed and get(read, "CompressionType") in (None, "None"):
            message = f"{shown(uri.rpartition('/')[2])} is packed, and is sent as it is"
            help_text = f'add "CompressionType": "{"Gzip" if uri.endswith(".gz") else "Bzip2"}"'
            yield Fault(f"{at}/TransformInput/CompressionType", message, help_text, placed)
    for found in trainings(subject):
        mode = found.container.settings.get("TrainingInputMode")
        for where, channel in entries(found.job.request, "InputDataConfig"):
            uri = (fold(subject, get(channel, *_PLACE)) or "").lower()
            read_as_is = channel.get("InputMode", mode) != "Pipe" and channel.get("ChannelName") not in (
                "model",
                "code",
            )
            if uri.endswith(_PACKED) and read_as_is:
                message = f"{found.name} does not unpack {shown(uri.rpartition('/')[2])}"
                place = f"{found.job.at}{where}{pointer(*_PLACE)}"
                yield Fault(place, message, "unpack it before", found.job.placed)


@rule("X959", "binary-by-lines", Severity.WARNING, source="AWS docs: SplitType Line splits at newlines")
def binary_by_lines(subject: Subject) -> Iterator[Fault]:
    """A batch transform splits at newlines what is no text: images, Parquet and the like fall apart.

    Bad:  "ContentType": "image/jpeg", "SplitType": "Line"
    Good: "ContentType": "image/jpeg", "SplitType": "None"
    """
    for at, job, placed in subject.jobs[TRANSFORM]:
        read = job.get("TransformInput")
        content, split = (literal(subject, get(read, name)) for name in ("ContentType", "SplitType"))
        if split == "Line" and isinstance(content, str) and content.lower().startswith(_BINARY):
            message = f"{shown(content)} is no text, and is split at newlines"
            yield Fault(f"{at}/TransformInput/SplitType", message, "write None", placed)


@rule("X913", "checkpoints-among-data", Severity.WARNING, source="CheckpointConfig API: S3Uri is read and written")
def checkpoints_among_data(subject: Subject) -> Iterator[Fault]:
    """Checkpoints are kept below a place that a channel reads: the next job takes them for data.

    Bad:  "CheckpointConfig": {"S3Uri": "s3://acme/train/checkpoints"} beside a channel of s3://acme/train
    Good: "CheckpointConfig": {"S3Uri": "s3://acme/checkpoints"}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        kept = fold(subject, get(job, "CheckpointConfig", "S3Uri"))
        if not kept:
            continue
        for _, channel in entries(job, "InputDataConfig"):
            read, name = fold(subject, get(channel, *_PLACE)), channel.get("ChannelName")
            # A model that is trained on begins with what a job before has kept.
            if not read or name in ("model", "checkpoint", "checkpoints"):
                continue
            if f"{kept.rstrip('/')}/".startswith(f"{read.rstrip('/')}/"):
                message = f"the channel {name!r} reads all below {read}, the checkpoints too"
                yield Fault(f"{at}/CheckpointConfig/S3Uri", message, "keep them elsewhere", placed)


@rule("X914", "algorithm-with-command", Severity.WARNING, source="AWS docs: a built-in algorithm is its container")
def algorithm_with_command(subject: Subject) -> Iterator[Fault]:
    """A built-in algorithm's container is started by a command of one's own, in the place of the algorithm.

    Bad:  "ContainerEntrypoint": ["python3", "train.py"] with k-means
    Good: no ContainerEntrypoint
    """
    for container in subject.containers:
        if container.named != TRAINING.image or container.settings.get("ContainerEntrypoint") is None:
            continue
        image = named_image(subject, container.image)
        if image is None or image.account not in ALGORITHM_ACCOUNTS or "xgboost" in image.repository:
            continue
        from mlops.knowledge.algorithms import algorithm  # most definitions train none

        known = algorithm(image.repository)
        if known is not None:
            message = f"the command takes the place of {known.title}"
            yield Fault(f"{container.at}/ContainerEntrypoint", message, "remove it", container.placed)
