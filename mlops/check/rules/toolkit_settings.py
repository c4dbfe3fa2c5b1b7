"""Settings that the toolkits in AWS's framework images read as numbers, archives and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.jobs import PROCESSING, TRAINING
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS

_NUMBERS = frozenset(
    {
        "SAGEMAKER_CONTAINER_LOG_LEVEL",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS",
        "SAGEMAKER_MODEL_SERVER_WORKERS",
        "SAGEMAKER_STARTUP_TIMEOUT",
    }
)
_COUNTS = frozenset({"sagemaker_mpi_num_of_processes_per_host", "sagemaker_container_log_level"})
_HOMES = ("/home/", "/Users/", "/root/", "~", "C:\\", "./", "../")


def _environments(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for container in subject.containers:
        holder, at = (
            (container.settings, container.at) if container.job is None else (container.job.request, container.job.at)
        )
        values = holder.get("Environment")
        if isinstance(values, Mapping):
            yield f"{at}/Environment", values, container.placed


@rule(
    "X970",
    "toolkit-setting",
    Severity.WARNING,
    source="sagemaker-inference-toolkit: environment.py; sagemaker-training-toolkit: environment.py, files.py",
)
def toolkit_setting(subject: Subject) -> Iterator[Fault]:
    """A setting of SageMaker's toolkits that is no number where one is read, or script mode with sources that are no
    archive, with a program of the author's machine or with none.

    Bad:  "SAGEMAKER_MODEL_SERVER_WORKERS": "many"
    Good: "SAGEMAKER_MODEL_SERVER_WORKERS": "2"
    """
    for at, values, placed in _environments(subject):
        for name in _NUMBERS.intersection(values):
            text = values[name]
            if isinstance(text, str) and not text.strip().isdigit():
                yield Fault(f"{at}/{name}", f"{name} is {shown(text)}, a number is wanted", None, placed)
    for start, job, placed in subject.jobs[TRAINING]:
        for member in ("HyperParameters", "StaticHyperParameters"):
            given = job.get(member)
            if isinstance(given, Mapping):
                for name in _COUNTS.intersection(given):
                    text = given[name]
                    if isinstance(text, str) and not text.strip('" ').isdigit():
                        message = f"{name} is {shown(text)}, a number is wanted"
                        yield Fault(f"{start}/{member}/{name}", message, None, placed)
                yield from _script_mode(f"{start}/{member}", given, job, placed)


def _script_mode(at: str, values: Mapping[str, Value], job: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    program, folder = values.get("sagemaker_program"), values.get("sagemaker_submit_directory")
    archive = folder.strip('"') if isinstance(folder, str) else ""
    name = archive.rpartition("/")[2]
    if archive.startswith("s3://") and "." in name and not name.endswith((".tar.gz", ".tgz", ".tar")):
        message = f"{shown(name)} is no archive, and the container unpacks one"
        yield Fault(f"{at}/sagemaker_submit_directory", message, "pack the sources into a .tar.gz", placed)
    if isinstance(program, str) and program.strip('"').startswith((*_HOMES, "s3://")):
        message = f"{shown(program)} is looked for inside of the sources"
        yield Fault(f"{at}/sagemaker_program", message, "write its path below them", placed)
    elif isinstance(program, str) and "\\" in program.replace('\\"', ""):
        message = f"{shown(program)} is a path of Windows, and the container is of Linux"
        yield Fault(f"{at}/sagemaker_program", message, "write it with /", placed)
    environment = job.get("Environment")
    told = isinstance(environment, Mapping) and "SAGEMAKER_PROGRAM" in environment
    if program is None and archive and not told:
        message = "the sources are there, and nothing says which program to run"
        yield Fault(f"{at}/sagemaker_program", message, "add it", placed)


@rule(
    "X971",
    "argument-of-two-words",
    Severity.WARNING,
    source="CreateProcessingJob API: each entry is one argument, as it is",
)
def argument_of_two_words(subject: Subject) -> Iterator[Fault]:
    """An option and its value are one argument of a container: no shell takes them apart, so the program sees an option
    that it does not know.

    Bad:  "ContainerArguments": ["--stage dev"]
    Good: "ContainerArguments": ["--stage", "dev"]
    """
    for container in subject.containers:
        listed = container.settings.get("ContainerArguments")
        for index, word in enumerate(listed if isinstance(listed, tuple) else ()):
            option, blank, rest = word.partition(" ") if isinstance(word, str) else ("", "", "")
            if blank and rest.strip() and option.startswith("--") and "=" not in option and " " not in rest.strip():
                at = f"{container.at}/ContainerArguments/{index}"
                help_text = f'write "{option}", "{rest.strip()}"'
                yield Fault(at, f"{shown(word)} is one argument", help_text, container.placed)


@rule(
    "X972",
    "script-of-no-input",
    Severity.WARNING,
    source="AWS's framework images have no scripts in the folder they start in",
)
def script_of_no_input(subject: Subject) -> Iterator[Fault]:
    """A processing job runs, in one of AWS's own images, a script by a relative path: no input brings it there.

    Bad:  ["python3", "prepare.py"]
    Good: ["python3", "/opt/ml/processing/input/code/prepare.py"]
    """
    for container in subject.containers:
        command = container.settings.get("ContainerEntrypoint")
        image = named_image(subject, container.image) if container.named == PROCESSING.image else None
        if image is None or (image.framework is None and image.account not in ALGORITHM_ACCOUNTS):
            continue
        for index, word in enumerate(command[:2] if isinstance(command, tuple) else ()):
            if isinstance(word, str) and word.endswith((".py", ".sh")) and not word.startswith("/") and " " not in word:
                at = f"{container.at}/ContainerEntrypoint/{index}"
                message = f"{shown(word)} is not in the container"
                yield Fault(at, message, "bring it by an input, give its path there", container.placed)
