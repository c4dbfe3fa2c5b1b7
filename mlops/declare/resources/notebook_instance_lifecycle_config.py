"""A lifecycle configuration of notebook instances: scripts that run as root when one is made, and at each start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import PLAIN, STRING, Constructor, Field, Given, Said, Spoken, Yielded, hidden
from mlops.knowledge.notebooks.faults import LONGEST, decoded
from mlops.knowledge.notebooks.scripts import encoded, with_idle_stop

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


def _hook(
    argument: str, *, starts: bool = False
) -> Callable[[NotebookInstanceLifecycleConfig, Lowering, object], Value]:
    def to(config: NotebookInstanceLifecycleConfig, lowering: Lowering, _: object) -> Value:
        given: str | None = getattr(config, argument)
        minutes = config.idle_stop if starts else None
        if given is None and minutes is None:
            return None
        script = None if given is None else _script(config, argument, given, lowering)
        if given is not None and script is None:
            return ({"Content": Unknown()},)
        whole = script if minutes is None else with_idle_stop(script, minutes)
        if whole is None:
            message = f"{config.label}: {argument} is no script of a shell, and idle_stop is put into it"
            misuse("D064", message, help="let a script of bash call it", step=config.name, where=config.where)
            return ({"Content": Unknown()},)
        content = encoded(whole)
        if len(content) > LONGEST:
            named = "idle_stop" if given is None else argument if "\n" in given else given
            said = f"{named} has {len(content):,} characters in base64, and {LONGEST:,} may be"
            help = "keep the rest in S3, and let the script fetch it: `aws s3 cp s3://BUCKET/setup.sh - | bash`"
            misuse("D042", f"{config.label}: {said}", help=help, step=config.name, where=config.where)
            return ({"Content": Unknown()},)
        return ({"Content": content},)

    return to


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
    so many minutes; its role has to be allowed to, and its network has to reach SageMaker. ``name`` is its name in the
    account.
    """

    named_by: ClassVar[str | None] = "NotebookInstanceLifecycleConfigName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("on_create", "OnCreate", PLAIN, to=_hook("on_create"), said=_said("OnCreate")),
            Field("on_start", "OnStart", PLAIN, to=_hook("on_start", starts=True), said=_said("OnStart")),
            hidden("idle_stop"),
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
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.on_create, self.on_start, self.idle_stop = on_create, on_start, idle_stop
        with speaking_of(self.where):
            if on_create is None and on_start is None and idle_stop is None and not arguments:
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
