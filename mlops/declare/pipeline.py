"""The pipeline, its parameters, and the block that new steps fall into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, TypeVar

from mlops.declare.misuse import misuse
from mlops.declare.other_uses import no_function
from mlops.declare.parameters import (
    AnyParameter,
    BooleanParameter,
    FloatParameter,
    IntegerParameter,
    Parameter,
    StringParameter,
)
from mlops.declare.ports import NOTEBOOK, PROGRAM
from mlops.declare.records import record
from mlops.declare.references import Poison, StringReference, lower
from mlops.declare.seeding import sound_seed
from mlops.declare.shown import Labelled, shown
from mlops.declare.source_line import author_line
from mlops.declare.unknown_attributes import among, unknown_attribute
from mlops.declare.unknown_names import told_arguments
from mlops.ir import Edit, Ref, Value, Where
from mlops.ir import Step as StepRecord

if TYPE_CHECKING:
    from mlops.declare.driven import Planned, Started, Upserted
    from mlops.declare.lower import Lowering
    from mlops.ir import Finding

__all__ = ["Experiment", "Mlflow", "Pipeline"]


class BlockMember(Protocol):
    """What a block holds: a step, or the Condition behind ``when``."""

    where: Where

    @property
    def name(self) -> str: ...

    def record(self, lowering: Lowering) -> StepRecord: ...


Given: TypeAlias = str | int | float | bool


class Execution(Protocol):
    """An execution that has ended."""

    @property
    def id(self) -> str: ...

    @property
    def status(self) -> str: ...


_blocks: ContextVar[tuple[list[BlockMember], ...]] = ContextVar("blocks", default=())
_loaded: ContextVar[list[Pipeline] | None] = ContextVar("loaded", default=None)

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
"""botocore: PipelineName, and PipelineDisplayName."""
_NAME_FORM = "use 1 to 256 letters, digits and dashes, beginning and ending with a letter or a digit"
_DESCRIPTION = 3072
"""botocore: PipelineDescription."""

P = TypeVar("P", bound=Parameter)


@record
class Experiment:
    """Where SageMaker Experiments files the executions of a pipeline."""

    name: str | StringReference
    trial: str | StringReference | None = None

    def member(self) -> Value:
        """The document's PipelineExperimentConfig; without ``trial`` it is the execution's id."""
        trial = Ref("Execution.PipelineExecutionId") if self.trial is None else lower(self.trial)
        return {"ExperimentName": lower(self.name), "TrialName": trial}


@record
class Mlflow:
    """The MLflow tracking server (its ARN) that executions report to, under ``experiment``."""

    server: str | StringReference
    experiment: str | StringReference | None = None

    def member(self) -> Value:
        """The document's MlflowConfig."""
        named = {} if self.experiment is None else {"MlflowExperimentName": lower(self.experiment)}
        return {"MlflowResourceArn": lower(self.server), **named}


class Pipeline(Labelled):
    """A SageMaker pipeline. Steps made inside ``with Pipeline(…) as pipeline:`` belong to it.

    ``tags``, ``description`` and ``display_name`` belong to the pipeline resource; ``parallelism`` caps the steps that
    run at once. ``metadata`` are texts that the definition itself carries. ``experiment`` False keeps executions out of
    SageMaker Experiments; True files them under the pipeline's name and the execution's id. ``mlflow`` False writes, as
    SDK 3 does, that there is no tracking server. ``members`` is merged into the document: whatever SageMaker accepts
    and we do not name. ``role`` is what its steps run as, in every environment.
    ``seed`` reaches the script of each Processing, Training, Tuning and Transform as the environment variable
    MLOPS_SEED; a job's own wins.
    With ``keep_order`` they stand in the document as they were made, also where one waits for a later one.
    """

    @told_arguments
    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        display_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        parallelism: int | None = None,
        metadata: Mapping[str, str] | None = None,
        experiment: Experiment | bool = True,
        mlflow: Mlflow | Literal[False] | None = None,
        members: Mapping[str, Any] | None = None,
        role: str | None = None,
        seed: int | IntegerParameter | None = None,
        keep_order: bool = False,
    ) -> None:
        self.name = name if isinstance(name, str) else "?"
        self.description = description if isinstance(description, str) else None
        self.display_name = display_name if isinstance(display_name, str) else None
        self.tags = dict(tags) if isinstance(tags, Mapping) else {}
        self.parallelism = parallelism if _is_count(parallelism) else None
        self.metadata = dict(metadata) if _are_texts(metadata) and metadata is not None else {}
        self.where = author_line()
        self._validate(name, description, display_name, tags, parallelism)
        if metadata is not None and not _are_texts(metadata):
            misuse(
                "D005",
                f"pipeline {name}: metadata should be a dictionary of strings; it is {shown(metadata)}",
                help=_TEXTS,
            )
        self.parameters: list[Parameter] = []
        self.steps: list[BlockMember] = []
        self.experiment = experiment if isinstance(experiment, Experiment | bool) else True
        self.mlflow: Mlflow | Literal[False] | None = mlflow if isinstance(mlflow, Mlflow) or mlflow is False else None
        for what, given, kept in (("experiment", experiment, self.experiment), ("mlflow", mlflow, self.mlflow)):
            if kept is not given and not isinstance(given, Poison):
                message = f"pipeline {name}: {what} should be {what.title()}(…); it is {shown(given)}"
                misuse("D005", message, help=f'write {what}={what.title()}("…")')
        self.members = dict(members) if isinstance(members, Mapping) else {}
        if members is not None and not isinstance(members, Mapping):
            message = f"pipeline {name}: members should be a dictionary; it is {shown(members)}"
            misuse("D005", message, help='write members={"Member": …}')
        self.role = role if isinstance(role, str) else None
        if role is not None and not isinstance(role, str):
            message = f"pipeline {name}: role should be the ARN of a role; it is {shown(role)}"
            misuse("D005", message, help='write role="arn:aws:iam::…:role/…"')
        self.seed = seed
        self.keep_order = keep_order is True
        loaded = _loaded.get()
        if loaded is not None:
            loaded.append(self)

    @property
    def seed(self) -> int | IntegerParameter | None:
        """Set it where it is one of the pipeline's parameters: ``pipeline.seed = pipeline.integer("Seed", 42)``."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | IntegerParameter | None) -> None:
        self._seed = sound_seed(self.name, seed)
        self.seed_where = author_line()

    @told_arguments
    def string(
        self,
        name: str,
        default: str | StringReference | None = None,
        *,
        choices: Sequence[str] | None = None,
        description: str | None = None,
    ) -> StringParameter:
        """Without ``default`` the value is required at start; it may be made of the environment's facts:
        ``join("s3://", environment.bucket, "/raw")``."""
        return self._parameter(StringParameter(name, default, choices, description))

    @told_arguments
    def integer(
        self,
        name: str,
        default: int | None = None,
        *,
        choices: Sequence[int] | None = None,
        description: str | None = None,
    ) -> IntegerParameter:
        """Without ``default`` the value is required at start."""
        return self._parameter(IntegerParameter(name, default, choices, description))

    @told_arguments
    def float(
        self,
        name: str,
        default: float | None = None,
        *,
        choices: Sequence[float] | None = None,
        description: str | None = None,
    ) -> FloatParameter:
        """Without ``default`` the value is required at start."""
        return self._parameter(FloatParameter(name, default, choices, description))

    @told_arguments
    def boolean(self, name: str, default: bool | None = None, *, description: str | None = None) -> BooleanParameter:
        """Without ``default`` the value is required at start."""
        return self._parameter(BooleanParameter(name, default, None, description))

    @told_arguments
    def parameter(self, written: Mapping[str, Any]) -> AnyParameter:
        """A parameter in the document's own form, for what the four above cannot say."""
        if not isinstance(written, Mapping):
            help = 'e.g. pipeline.parameter({"Name": "Depth", "Type": "Integer"})'
            misuse("D042", f"a parameter as written is an object of the document, not {shown(written)}", help=help)
            return Poison()
        return self._parameter(AnyParameter(written))

    def __enter__(self) -> Self:
        _blocks.set((*_blocks.get(), self.steps))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _blocks.set(_blocks.get()[:-1])

    def run(self, parameters: Mapping[str, Given] | None = None, /, *, cache: bool = True, **more: Given) -> Execution:
        """Run it on this machine and wait for its end, as ``mlops run`` does: ``pipeline.run(Days=7)``. In a notebook
        the graph shows how far it is. Raises Refusal where it has errors or does not succeed."""
        return NOTEBOOK.get().run(self, {**(parameters or {}), **more}, cache=cache)

    def definition(self, env: str = "local") -> str:
        """The definition in JSON that SageMaker takes, as ``mlops compile`` writes it for that environment. Raises
        Refusal where it has errors."""
        loading = self._only_declared("definition")
        return PROGRAM.get().definition(self, env) if loading is None else loading

    def check(self, env: str = "local") -> tuple[Finding, ...]:
        """All findings, errors among them."""
        loading = self._only_declared("check")
        return PROGRAM.get().check(self, env) if loading is None else loading

    def plan(self, env: str = "local") -> Planned:
        """What an upsert would change; ``print`` shows it. Nothing is written."""
        loading = self._only_declared("plan")
        return PROGRAM.get().plan(self, env) if loading is None else loading

    def upsert(self, env: str = "local", *, yes: bool = False, force: bool = False) -> Upserted:
        """Put it into the account of that environment. ``yes`` is the approval that a protected one wants, ``force``
        writes over what somebody else changed. Raises Refusal."""
        loading = self._only_declared("upsert")
        return PROGRAM.get().upsert(self, env, yes=yes, force=force) if loading is None else loading

    def start(
        self,
        env: str = "local",
        parameters: Mapping[str, Given] | None = None,
        /,
        *,
        cache: bool = True,
        yes: bool = False,
        **more: Given,
    ) -> Started:
        """Start it there, and go on: ``pipeline.start("dev", Days=7).wait()``. In the local account as it is now, in
        another one as it was upserted, which has to be the same. Raises Refusal."""
        given = {**(parameters or {}), **more}
        loading = self._only_declared("start")
        return PROGRAM.get().start(self, env, given, cache=cache, yes=yes) if loading is None else loading

    def _only_declared(self, name: str) -> Any:
        """None for a program; a misuse where a file is loaded, which is there to declare."""
        if _loaded.get() is None:
            return None
        from mlops.declare.sdk_words import METHODS  # only a mistake needs it

        message = f"{self.label} is declared here, and {name}() is for programs"
        misuse("D031", message, help=f'{METHODS[name]}; below `if __name__ == "__main__":` a program may do it')
        return Poison()

    def show(self) -> str:
        """The graph as an outline and what the checker finds, as text."""
        return NOTEBOOK.get().text(self)

    def _repr_html_(self) -> str:
        return NOTEBOOK.get().html(self)

    def _repr_svg_(self) -> str:
        return NOTEBOOK.get().svg(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else self.show())

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}>"

    def _validate(
        self, name: object, description: object, display_name: object, tags: object, parallelism: object
    ) -> None:
        for what, given in (("name", name), ("display name", display_name or None)):
            if isinstance(given, Poison) or (isinstance(given, str) and NAME.fullmatch(given)):
                continue
            if given is not None or what == "name":
                message = f"{given if isinstance(given, str) else shown(given)!r} is no {what} for a pipeline"
                misuse("D005", message, help=_NAME_FORM)
        if description is not None and (not isinstance(description, str) or len(description) > _DESCRIPTION):
            message = f"pipeline {name}: description should be a string of at most {_DESCRIPTION} characters"
            misuse("D005", message, help='write description="…"; what is longer has a place in metadata={…}')
        if tags is not None and not _are_texts(tags):
            misuse("D005", f"pipeline {name}: tags should be a dictionary of strings; it is {shown(tags)}", help=_TEXTS)
        if parallelism is not None and not _is_count(parallelism):
            message = f"pipeline {name}: parallelism should be an integer from 1; it is {shown(parallelism)}"
            misuse("D005", message, help="write parallelism=4, or leave it out")

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or "name" not in vars(self):
                raise AttributeError(name)
            return self._unknown(name)

        def __call__(self, *_: object, **__: object) -> Poison:
            help = "steps are made below `with`: with Pipeline(…) as pipeline: …; `mlops run` and pipeline.run() run it"
            return no_function(self.label, help, Poison())

        __iter__ = None  # what has brackets would else be looped over by number

        def __getitem__(self, key: object) -> Poison:
            help = "a step is kept in a variable when it is made: train = Training(…)"
            misuse("D031", f"{self.label} has nothing in brackets", help=help)
            return Poison()

    def _unknown(self, name: str) -> object:
        from mlops.declare.sdk_words import METHODS, OF_THE_ENVIRONMENT  # only a mistake needs it

        known = [key for key in {*vars(self), *dir(type(self))} if key[0] != "_" and key not in ("label", "instead")]
        ours = _KINDS.get(name.lower())
        help, edit = among(name, known)
        if ours is not None:
            help, edit = f"here it is called {ours}", Edit(name, ours)
        elif name in METHODS:
            help, edit = METHODS[name], None
        elif name in OF_THE_ENVIRONMENT:
            help, edit = "mlops.toml has it for each environment; what a step needs of it is left out there", None
        instead = getattr(self, edit.new) if edit is not None else Poison()
        return unknown_attribute(name, f"{self.label} has no {name}", help=help, edit=edit, instead=instead)

    @property
    def label(self) -> str:
        return f"the pipeline {self.name}"

    def _parameter(self, parameter: P) -> P:
        self.parameters.append(parameter)
        return parameter


_TEXTS = 'write {"name": "value"}'
_KINDS = {
    "int": "integer",
    "str": "string",
    "text": "string",
    "bool": "boolean",
    "number": "float",
    "double": "float",
    "string": "string",
    "integer": "integer",
    "boolean": "boolean",
    "float": "float",
}
"""What people call the kinds of parameters."""


def _are_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for pair in value.items() for item in pair)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def add(step: BlockMember) -> None:
    """Put a new step into the innermost open block."""
    blocks = _blocks.get()
    if not blocks:
        misuse(
            "D030",
            f"step {step.name} stands outside of any pipeline",
            help="make it inside `with Pipeline(…):`",
            where=step.where,
        )
        return
    blocks[-1].append(step)


def in_pipeline() -> bool:
    """New steps have a block to fall into."""
    return bool(_blocks.get())


@contextmanager
def inside(block: list[BlockMember]) -> Iterator[None]:
    """New steps fall into ``block``."""
    outer = _blocks.get()
    _blocks.set((*outer, block))
    try:
        yield
    finally:
        _blocks.set(outer)


@contextmanager
def recording() -> Iterator[list[Pipeline]]:
    """Every pipeline that is made meanwhile, in the order of making."""
    pipelines: list[Pipeline] = []
    token = _loaded.set(pipelines)
    outer = _blocks.get()
    _blocks.set(())
    try:
        yield pipelines
    finally:
        _blocks.set(outer)
        _loaded.reset(token)
