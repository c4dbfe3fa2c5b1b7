"""Notebook jobs: training jobs whose entry point runs a notebook, by what their environment says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.members import entries
from mlops.check.nearest import nearest
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Unknown, Value
from mlops.ir.members import get
from mlops.knowledge.notebook_jobs import SCHEDULER

_NOTEBOOK, _FOLDER = "SM_INPUT_NOTEBOOK_NAME", "SM_EXECUTION_INPUT_PATH"
_NEEDED = (_NOTEBOOK, "SM_OUTPUT_NOTEBOOK_NAME", "SM_KERNEL_NAME", _FOLDER)
_CHANNELS = "/opt/ml/input/data/"


@rule(
    "X979",
    "notebook-job",
    Severity.ERROR,
    source="official SDK 3.27 notebook_job_step: the variables by which amazon_sagemaker_scheduler finds its notebook",
)
def notebook_job(subject: Subject) -> Iterator[Fault]:
    """A notebook job that does not say which notebook it runs, by which kernel, in which folder it lies or what the
    result is called; that runs what is no notebook; whose folder no channel fills; or whose entry point is misspelt.

    Bad:  "SM_INPUT_NOTEBOOK_NAME": "report.py"
    Good: "SM_INPUT_NOTEBOOK_NAME": "report.ipynb"
    """
    for placed, arguments in subject.of_type("Training"):
        command = get(arguments, "AlgorithmSpecification", "ContainerEntrypoint")
        if not isinstance(command, tuple) or len(command) != 1 or not isinstance(command[0], str):
            continue
        at = f"{placed.pointer}/Arguments"
        if command[0] == SCHEDULER:
            yield from _variables(subject, at, arguments, placed)
        elif nearest(command[0], (SCHEDULER,)) is not None:
            where = f"{at}/AlgorithmSpecification/ContainerEntrypoint/0"
            yield Fault(where, f"{shown(command[0])} is no program of a notebook's image", f"write {SCHEDULER}", placed)


def _variables(subject: Subject, at: str, arguments: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    given = arguments.get("Environment", {})
    if not isinstance(given, Mapping) or isinstance(given, Unknown):
        return
    for name in _NEEDED:
        if name not in given:
            near = nearest(name, given.keys() - set(_NEEDED))
            help_text = "add it" if near is None else f"rename {near}"
            yield Fault(
                f"{at}/Environment/{name}", f"a notebook job reads {name}, which is not there", help_text, placed
            )
    notebook, folder = literal(subject, given.get(_NOTEBOOK)), literal(subject, given.get(_FOLDER))
    if isinstance(notebook, str) and not notebook.endswith(".ipynb"):
        where = f"{at}/Environment/{_NOTEBOOK}"
        yield Fault(where, f"{shown(notebook)} is no notebook", "name a file that ends with .ipynb", placed)
    names = [channel.get("ChannelName") for _, channel in entries(arguments, "InputDataConfig")]
    texts = [name for name in names if isinstance(name, str)]
    if isinstance(folder, str) and len(texts) == len(names):
        channel = folder.removeprefix(_CHANNELS).partition("/")[0]
        if not folder.startswith(_CHANNELS) or channel not in texts:
            help_text = f"e.g. {_CHANNELS}{texts[0]}" if texts else "add the channel"
            yield Fault(f"{at}/Environment/{_FOLDER}", f"no channel brings {shown(folder)}", help_text, placed)
