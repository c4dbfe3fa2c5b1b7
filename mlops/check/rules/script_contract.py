"""What a script reads, against what its step gives it: channels, hyperparameters, variables, folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.script_reads import (
    CHANNEL,
    DATA,
    HYPERPARAMETER,
    below,
    hyperparameters,
    python_scripts,
)
from mlops.check.scripts import Script
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get


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
    for script, reads in python_scripts(subject):
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
    for script, reads in python_scripts(subject):
        if script.member is None:
            continue
        listed = list(entries(script.job.request, "InputDataConfig"))
        named = [item.get("ChannelName") for _, item in listed]
        channels = [name for name in named if isinstance(name, str)]
        if len(channels) != len(named) or not isinstance(script.job.request.get("InputDataConfig", ()), tuple):
            continue
        given, taken = {name.upper() for name in channels}, hyperparameters(subject, script)
        has = f"the job has {', '.join(channels)}" if channels else "the job has no channel"
        for name, line in reads.variables:
            if name.startswith(CHANNEL) and name.removeprefix(CHANNEL) not in given:
                message = f"{script.name}:{line} reads {name}, and {has}"
                wanted = name.removeprefix(CHANNEL).lower()
                yield Fault(script.at, message, f'add the channel "{wanted}", or read another', script.placed)
            known = {key.upper() for key in taken} if taken is not None else None
            if name.startswith(HYPERPARAMETER) and known is not None and name[len(HYPERPARAMETER) :] not in known:
                message = f"{script.name}:{line} reads {name}, and the job has no such hyperparameter"
                yield Fault(script.at, message, "add the hyperparameter, or read it with a default", script.placed)
        for folder, line in reads.folders:
            if folder not in channels:
                message = f"{script.name}:{line} reads {DATA}{folder}, and {has}"
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
_OF_TRAINING = re.compile(r"SM_(CHANNEL|HP)_\w+|SM_(CHANNELS|HPS)")
"""Set by the training toolkit, which starts no processing job."""


@rule(
    "X928",
    "variable-not-given",
    Severity.WARNING,
    source="CreateTrainingJob and CreateProcessingJob API: Environment; the guide names no other ones",
)
def variable_not_given(subject: Subject) -> Iterator[Fault]:
    """A script reads a variable that its step's environment does not have, in one of AWS's framework images, which has
    none of that name, or a processing script reads one of training jobs: it ends with KeyError. What is read inside of
    try, with a default or after it was asked for, and scripts that load variables themselves are not looked at.

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
        for script, reads in python_scripts(subject):
            if script.job is not container.job or reads.fills:
                continue
            of_training = script.member is None and _OF_TRAINING.fullmatch
            for name, line in reads.variables:
                if of_training and of_training(name) and name not in values:
                    message = f"{script.name}:{line} reads {name}, which training jobs have, and this is none"
                    help_text = "read the folder of an input below /opt/ml/processing"
                    yield Fault(script.at, message, help_text, script.placed)
                elif name not in values and not _OF_THE_MACHINE.fullmatch(name):
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
    for script, reads in python_scripts(subject):
        known = _processing_folders(script) if script.member is None and reads.strange else None
        if known is None:
            continue
        for path, line in reads.strange:
            if not any(below(path, folder) or below(folder, path) for folder in known):
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
