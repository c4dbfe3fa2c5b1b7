"""What the role of a notebook instance needs for the scripts of its lifecycle configuration, what people do in it not
being known here; and what the role of a restart needs."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.arns import arn_of, bucket_arn, key_arn
from mlops.emit.policies.statements import Need
from mlops.ir import Definition, Ref, Step
from mlops.ir.members import get
from mlops.ir.resource import NAME
from mlops.ir.s3_uri import split_uri
from mlops.ir.surroundings import Surroundings
from mlops.knowledge.notebooks.faults import decoded
from mlops.knowledge.notebooks.scripts import synced_to

_INSTANCE, _CONFIG, _RESTART = "NotebookInstance", "NotebookInstanceLifecycleConfig", "NotebookRestart"


def is_notebook(step: Step, role: str) -> bool:
    """Whether it is an instance that takes ``role`` on."""
    return step.type == _INSTANCE and get(step.arguments, "RoleArn") == role


def restarts(step: Step, role: str) -> bool:
    """Whether the clock takes ``role`` on for it."""
    return step.type == _RESTART and get(step.arguments, "RoleArn") == role


def restart_needs(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    if not restarts(step, around.role):
        return
    notebook = get(step.arguments, "Notebook")
    path = notebook.path if isinstance(notebook, Ref) else None
    other = definition.step(path.name) if path is not None else None
    name = get(other.arguments, "NotebookInstanceName") if other is not None else notebook
    if isinstance(name, str):
        arn = arn_of(around, "sagemaker", f"notebook-instance/{name.lower()}")
        actions = ("sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance")
        yield Need("RestartNotebooks", actions, (arn,), step.name)


def notebook_needs(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    """To stop itself where a script of its may, and to keep its files where one says."""
    name, lifecycle = get(step.arguments, "NotebookInstanceName"), get(step.arguments, "LifecycleConfigName")
    if not is_notebook(step, around.role) or not isinstance(name, str) or lifecycle is None:
        return
    arn = arn_of(around, "sagemaker", f"notebook-instance/{name.lower()}")
    yield Need("StopNotebooks", ("sagemaker:StopNotebookInstance",), (arn,), step.name)
    for script in _starts(definition, lifecycle):
        place = synced_to(script)
        if place is not None:
            yield from _synced(f"{place}/{name}/*", step, around)


def _synced(below: str, step: Step, around: Surroundings) -> Iterator[Need]:
    bucket, key = split_uri(below)
    yield Need("SyncFiles", ("s3:GetObject", "s3:PutObject"), (bucket_arn(below, around),), step.name)
    listed = {"StringLike": {"s3:prefix": key}}
    yield Need("ListSyncedFiles", ("s3:ListBucket",), (bucket_arn(bucket, around),), step.name, listed)
    if bucket == around.bucket and around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKeys", ("kms:Decrypt", "kms:GenerateDataKey"), (arn,), step.name, conditions)


def _starts(definition: Definition, lifecycle: object) -> Iterator[str]:
    """The scripts of the configuration, by reference or by its name, that run at each start."""
    path = lifecycle.path if isinstance(lifecycle, Ref) else None
    for placed in definition.placed():
        named = path.name == placed.step.name if path is not None else lifecycle == placed.step.members.get(NAME)
        if placed.step.type == _CONFIG and named:
            listed = get(placed.step.arguments, "OnStart")
            contents = (get(item, "Content") for item in (listed if isinstance(listed, tuple) else ()))
            yield from (decoded(content) or "" for content in contents if isinstance(content, str))
