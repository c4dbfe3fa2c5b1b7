"""A lifecycle configuration of notebook instances: scripts that run as root when one is made, and at each start."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import Poison, StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.shown import shown
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import PLAIN, STRING, Constructor, Field, Given, Said, Spoken, Yielded, hidden
from mlops.ir.s3_uri import default_bucket_region, is_bucket_name
from mlops.knowledge.notebooks.faults import LONGEST, decoded
from mlops.knowledge.notebooks.scripts import RESTORE, beginning_with, encoded, stopping_when_idle, syncing

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["NotebookInstanceLifecycleConfig"]

STEP_TYPE = StepType(
    type="NotebookInstanceLifecycleConfig",
    service="sagemaker",
    request="CreateNotebookInstanceLifecycleConfigInput",
    response="DescribeNotebookInstanceLifecycleConfigOutput",
    permissions=(),
)
_LEAST_MINUTES, _MOST_MINUTES = 10, 10_080
_PLACE = re.compile(r"s3://(?P<bucket>[a-z0-9.-]+)(?:/[\w.-]+)*/?", re.ASCII)
"""Nothing that a shell, systemd or a policy reads otherwise."""


def _hook(argument: str) -> Callable[[NotebookInstanceLifecycleConfig, Lowering, object], Value]:
    def to(config: NotebookInstanceLifecycleConfig, lowering: Lowering, _: object) -> Value:
        given: str | None = getattr(config, argument)
        parts = _parts(config, argument, lowering)
        if given is None and not parts:
            return None
        script = None if given is None else _script(config, argument, given, lowering)
        if given is not None and script is None:
            return ({"Content": Unknown()},)
        whole = script if not parts else beginning_with(tuple(parts.values()), script)
        if whole is None:
            put = " and ".join(parts) + (" are" if len(parts) > 1 else " is")
            message = f"{config.label}: {argument} is no script of a shell, and {put} put into it"
            misuse("D064", message, help="let a script of bash call it", step=config.name, where=config.where)
            return ({"Content": Unknown()},)
        content = encoded(whole)
        if len(content) > LONGEST:
            named = " and ".join(parts) if given is None else argument if "\n" in given else given
            said = f"{named} has {len(content):,} characters in base64, and {LONGEST:,} may be"
            help = "keep the rest in S3, and let the script fetch it: `aws s3 cp s3://BUCKET/setup.sh - | bash`"
            misuse("D042", f"{config.label}: {said}", help=help, step=config.name, where=config.where)
            return ({"Content": Unknown()},)
        return ({"Content": content},)

    return to


def _parts(config: NotebookInstanceLifecycleConfig, argument: str, lowering: Lowering) -> dict[str, str]:
    """What comes before a script, by the arguments that ask for it."""
    prefix = lowering.once(config, lambda: _prefix(config, lowering))
    if argument == "on_create":
        return {} if prefix is None else {"sync": RESTORE}
    found = {} if config.idle_stop is None else {"idle_stop": stopping_when_idle(config.idle_stop)}
    return found if prefix is None else {**found, "sync": syncing(prefix)}


def _prefix(config: NotebookInstanceLifecycleConfig, lowering: Lowering) -> str | None:
    """Where files go, without a slash at its end; None where there is nothing, or something is told of it."""
    given = config.sync
    if given is None or isinstance(given, Poison):
        return None
    match = _PLACE.fullmatch(given) if isinstance(given, str) else None
    if match is None or not is_bucket_name(match["bucket"]):
        said = f"sync={shown(given)} is no prefix of S3"
        help = 'write sync="s3://BUCKET/notebooks/", with letters, digits and -_./ alone'
        misuse("D042", f"{config.label}: {said}", help=help, step=config.name, where=config.where)
        return None
    region, bucket = lowering.environment.region, match["bucket"]
    lies = default_bucket_region(bucket)
    if lies not in (None, region) and not lowering.environment.is_local:
        said = f"the bucket {bucket} of sync lies in {lies}, and the instance in {region}"
        help = "take one of its region: an endpoint of S3 in its network reaches no other"
        misuse("D042", f"{config.label}: {said}", help=help, step=config.name, where=config.where)
        return None
    return given.rstrip("/")


def _said(hook: str) -> Callable[[Given], Spoken | None]:
    """A text of several lines; one of a single line would be a file."""

    def said(given: Given) -> Spoken | None:
        content = given.at(f"{hook}.0.Content")
        text = decoded(content) if isinstance(content, str) else None
        return Said(text, (STRING,)) if text is not None and "\n" in text else None

    return said


def _script(config: NotebookInstanceLifecycleConfig, argument: str, given: str, lowering: Lowering) -> str | None:
    """Text of several lines stands for itself. A machine of Linux runs it, whatever wrote its ends of lines."""
    if "\n" in given:
        return given.replace("\r\n", "\n")
    file = lowering.source(given, step=config, what=argument)
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        misuse("D053", f"{config.label}: {given} cannot be read: {why}", step=config.name, where=config.where)
        return None
    if not text.strip():
        message = f"{config.label}: {given} is empty"
        misuse("D042", message, help=f"leave {argument} out", step=config.name, where=config.where)
        return None
    return text.replace("\r\n", "\n")


class NotebookInstanceLifecycleConfig(DeclaredResource):
    """What notebook instances run as root: ``on_create`` once, ``on_start`` at each start, the first among them. Each
    is a file beside this one, or a text of several lines. ``idle_stop`` stops an instance in which nothing was done for
    so many minutes; its role has to be allowed to, and its network has to reach SageMaker. ``sync`` is a prefix of S3
    below which an instance keeps its files, in a folder of its name: they are taken there every five minutes, and come
    back into one that is made. ``name`` is its name in the account.
    """

    named_by: ClassVar[str | None] = "NotebookInstanceLifecycleConfigName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("on_create", "OnCreate", PLAIN, to=_hook("on_create"), said=_said("OnCreate")),
            Field("on_start", "OnStart", PLAIN, to=_hook("on_start"), said=_said("OnStart")),
            hidden("idle_stop"),
            hidden("sync"),
        ),
        yields={
            "NotebookInstanceLifecycleConfigName": Yielded("lifecycle_config_name", STRING),
            "NotebookInstanceLifecycleConfigArn": Yielded("lifecycle_config_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        on_create: str | None = None,
        on_start: str | None = None,
        idle_stop: int | None = None,
        sync: str | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.on_create, self.on_start, self.idle_stop, self.sync = on_create, on_start, idle_stop, sync
        with speaking_of(self.where):
            if not arguments and all(given is None for given in (on_create, on_start, idle_stop, sync)):
                help = 'give on_start="start.sh" or idle_stop=60'
                misuse("D064", f"{self.label} runs nothing", help=help, step=self.name)
            if isinstance(idle_stop, int) and not _LEAST_MINUTES <= idle_stop <= _MOST_MINUTES:
                help = f"give minutes, from {_LEAST_MINUTES} to {_MOST_MINUTES:,}"
                misuse("D042", f"{self.label}: idle_stop={idle_stop} is too few or too many", help=help, step=self.name)

    @property
    def lifecycle_config_name(self) -> StringProperty:
        """For the notebook instances that run it."""
        return StringProperty(self.name, "NotebookInstanceLifecycleConfigName")

    @property
    def lifecycle_config_arn(self) -> StringProperty:
        return StringProperty(self.name, "NotebookInstanceLifecycleConfigArn")
