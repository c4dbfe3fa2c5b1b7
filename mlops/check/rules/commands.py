"""What a container is told to run: whether there is anything, and whether what runs it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.check.expressions import literal
from mlops.check.jobs import PROCESSING, TRAINING
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.scripts import plain, scripts
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.languages import is_read, language_of, language_of_first_line, language_run_by, starter
from mlops.ir.members import get
from mlops.ir.script_mode import unimportable
from mlops.knowledge.framework_images import needs_script

_MEMBERS = ("HyperParameters", "StaticHyperParameters")
_WITHOUT_SCRIPT = ("-c", "-m", "-e", "-lc", "-ec")
_READ = "start a script that reads it, and give it as an argument"
_SHIPPED = ("/opt/ml/processing/input/", "/opt/ml/input/")


@rule(
    "X920",
    "nothing-to-run",
    Severity.ERROR,
    source="sagemaker-training-toolkit: the framework's images run the script that sagemaker_program names (sdk#966)",
)
def nothing_to_run(subject: Subject) -> Iterator[Fault]:
    """A training job with one of AWS's framework images, which have no algorithm of their own, and neither a script nor
    an entrypoint says what to run. A processing job with such an image and no command is a warning.

    Bad:  "TrainingImage": ".../pytorch-training:2.3.0-cpu-py311" without sagemaker_program
    Good: the same with "HyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://..."}
    """
    for container in subject.containers:
        image = literal(subject, container.image)
        if container.job is None or not isinstance(image, str) or not needs_script(image):
            continue
        told = [container.settings.get(name) for name in ("ContainerEntrypoint", "ContainerArguments")]
        if container.named == PROCESSING.image:
            if told == [None, None]:
                message = "a framework image does nothing by itself, and no ContainerEntrypoint says what to run"
                help_text = 'e.g. ["python3", "/opt/ml/processing/input/code/prepare.py"]'
                at = f"{container.at}/ContainerEntrypoint"
                yield Fault(at, message, help_text, container.placed, severity=Severity.WARNING)
        elif container.named == TRAINING.image and told[0] is None and not _names_script(container.job.request):
            message = "a framework image has no algorithm of its own, and nothing says which script to run"
            help_text = "add the hyperparameters sagemaker_program and sagemaker_submit_directory"
            yield Fault(container.image_at, message, help_text, container.placed)


def _names_script(request: Mapping[str, Value]) -> bool:
    """Or whether that is not known yet."""
    groups = [(request.get(member), "sagemaker_program") for member in _MEMBERS]
    groups.append((request.get("Environment"), "SAGEMAKER_PROGRAM"))
    return any(
        value is not None and (not isinstance(value, Mapping) or value.get(name) is not None) for value, name in groups
    )


@rule(
    "X921",
    "script-of-another-language",
    Severity.WARNING,
    source="python ran runproc.sh: SyntaxError (sdk#4272); bash ran a .py: 'import: command not found' (sdk#2656)",
)
def script_of_another_language(subject: Subject) -> Iterator[Fault]:
    """A script is started by the interpreter of another language; or (an error) by none, although what comes from S3 is
    not executable; or a framework image is given a script that is no Python and no shell. A query or a notebook is
    started by nothing: a script reads it.

    Bad:  ["python3", "/opt/ml/processing/input/code/run.sh"]
    Good: ["/bin/bash", "/opt/ml/processing/input/code/run.sh"]
    """
    first_lines = {script.at: script for script in scripts(subject)}
    for container in subject.containers:
        if container.job is None:
            continue
        placed, words = container.placed, _words(subject, container.at, container.settings)
        program = words[0][1] if words else None
        if program is not None and _is_shipped(program, container.job.request) and language_of(program) is not None:
            message = f"{program} comes from S3, where no file is executable, and nothing starts it"
            help_text = _READ if is_read(program) else f'put "{starter(program)}" before it'
            yield Fault(words[0][0], message, help_text, placed, severity=Severity.ERROR)
            continue
        runs = language_run_by(program) if program is not None else None
        script = next((item for item in words[1:] if not item[1].startswith("-")), None)
        if runs is None or script is None or any(word in _WITHOUT_SCRIPT for _, word in words[1:]):
            continue
        at, name = script
        known = first_lines.get(at)
        is_in = language_of(name) or (_by_first_line(known.file) if known is not None else None)
        if is_in is not None and is_in != runs:
            message = f"{name} is {is_in}, and {program} runs {runs}"
            help_text = _READ if is_read(name) else f'start it with "{starter(name)}"'
            yield Fault(at, message, help_text, placed)
    for job in subject.jobs[TRAINING]:
        for member in _MEMBERS:
            entry = plain(literal(subject, get(job.request, member, "sagemaker_program")))
            is_in = language_of(entry) if entry is not None else None
            if is_in not in (None, "Python", "shell"):
                message = f"the training toolkit runs Python and shell scripts, and {entry} is {is_in}"
                at = f"{job.at}/{member}/sagemaker_program"
                yield Fault(at, message, "start it from a script of one of the two", job.placed)


def _is_shipped(program: str, request: Mapping[str, Value]) -> bool:
    """Whether it lies where S3 is copied to: a usual folder for that, or one of the job's inputs."""
    inputs = (get(item, "S3Input", "LocalPath") for _, item in entries(request, "ProcessingInputs"))
    folders = (f"{path.rstrip('/')}/" for path in inputs if isinstance(path, str) and path.startswith("/"))
    return program.startswith((*_SHIPPED, *folders))


def _words(subject: Subject, at: str, settings: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The known words of the command line with their places, up to the first that is not known."""
    found: list[tuple[str, str]] = []
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        listed = settings.get(member)
        if member == "ContainerArguments" and not found:
            break  # the image's own program takes them
        for index, word in enumerate(listed if isinstance(listed, tuple) else ()):
            text = literal(subject, word)
            if not isinstance(text, str):
                return found
            found.append((f"{at}/{member}/{index}", text))
    return found


def _by_first_line(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        with file.open("rb") as stream:
            return language_of_first_line(stream.readline(256).decode("utf-8", errors="replace"))
    except OSError:
        return None


@rule(
    "X922",
    "script-that-is-no-module",
    Severity.WARNING,
    source="'No module named src/train': sagemaker-training-toolkit#54, #20; sagemaker-scikit-learn-container#29",
)
def script_that_is_no_module(subject: Subject) -> Iterator[Fault]:
    """Beside a setup.py the training toolkit starts the program by ``python -m``, and its name is no module's: it lies
    in a folder, or has a dot.

    Bad:  entry="src/train.py" with a setup.py beside src
    Good: entry="train.py" with a setup.py beside it, or no setup.py
    """
    for script in scripts(subject):
        module = unimportable(script.name, script.files) if script.member is not None else None
        if module is not None:
            message = f"beside a setup.py the image runs python -m {module}, and there is no such module"
            help_text = f"put {script.name.rpartition('/')[2]} beside setup.py, or leave setup.py out of the folder"
            yield Fault(script.at, message, help_text, script.placed)
