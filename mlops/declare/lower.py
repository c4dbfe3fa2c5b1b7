"""A declared pipeline, in one environment, to the IR. Pure: reads the author's sources and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mlops.declare.compiled_for import compiled_for
from mlops.declare.execution import pipeline_name
from mlops.declare.instance_caps import capped_parameters, capped_steps
from mlops.declare.members import merge
from mlops.declare.misuse import misuse
from mlops.declare.pipeline import BlockMember, Experiment, Pipeline
from mlops.declare.references import Poison, Reference, lower
from mlops.declare.seeding import seed_value, seeded
from mlops.declare.slips import slip
from mlops.declare.steps.base import Step
from mlops.ir import Asset, Definition, Unknown, Value, Where
from mlops.ir import Step as StepRecord
from mlops.ir.choices import near
from mlops.ir.local_files import names_a_file
from mlops.project.content_address import Digest, UnshippableFile, address_of, collect, digests
from mlops.project.environments import Environment, place_of
from mlops.project.images import ImageDataMissing, ImageRequest, ImageUnknown, InstanceUnknown
from mlops.project.root import CONFIGURATION

if TYPE_CHECKING:
    from mlops.project.card_intent import Intent

T = TypeVar("T")

VERSION = "2020-12-01"

DEFAULT_INSTANCE = "ml.m5.xlarge"
"""Where neither the step nor the environment names one."""


class Images(Protocol):
    """Where image URIs come from: ``mlops.lock`` or, for ``mlops lock``, the SDK's data."""

    def uri(self, request: ImageRequest, region: str, instance_type: str | None, scope: str) -> str:
        """Raises ImageUnknown or ImageDataMissing."""


class Lowering:
    """What steps need while they are lowered, and the assets that they asked for."""

    def __init__(self, pipeline: str, environment: Environment, images: Images, folders: Iterable[Path]) -> None:
        self.pipeline: str = pipeline
        self.environment: Environment = environment
        self.assets: dict[tuple[str, bool], Asset] = {}
        self._images = images
        self._unpinned: set[ImageRequest] = set()
        self._unknown: set[str] = set()
        self._once: dict[int, Any] = {}
        self._folders = tuple(dict.fromkeys(folders))

    def once(self, given: object, make: Callable[[], T]) -> T:
        """What several members of ``given`` are made of and must be made, and told of, one time only."""
        if id(given) not in self._once:
            self._once[id(given)] = make()
        made: T = self._once[id(given)]
        return made

    def instance(self, given: Value | Reference) -> Value:
        """The instance type to use where the author gave ``given`` or None."""
        if given is None:
            return self.environment.instance or DEFAULT_INSTANCE
        return lower(given)

    def image(self, given: ImageRequest | Reference | str, *, scope: str, instance: Value, step: Step) -> Value:
        """The image URI; a framework's needs the region of the environment and perhaps the instance type."""
        if not isinstance(given, ImageRequest):
            return lower(given)
        kind = instance if isinstance(instance, str) else None
        try:
            return self._images.uri(given, self.environment.region, kind, given.scope or scope)
        except InstanceUnknown:
            pass  # the instance is told, at its own place in the request
        except ImageUnknown as error:
            if str(error) not in self._unknown:  # once for all steps that name it
                self._unknown.add(str(error))
                misuse("D050", f"{step.name}: {error}", help=error.hint, step=step.name, where=step.where)
        except ImageDataMissing as error:
            self._tell_unpinned(given, error, step)
        return Unknown()

    def _tell_unpinned(self, given: ImageRequest, error: ImageDataMissing, step: Step) -> None:
        """Once for all steps that name the image."""
        if given in self._unpinned:
            return
        self._unpinned.add(given)
        misuse(
            "D051",
            f"{step.name}: the image {' '.join(filter(None, (given.framework, given.version)))} is not pinned in "
            f"mlops.lock for {self.environment.region}, and the SageMaker SDK, which knows it, is not installed",
            help=error.hint,
            step=step.name,
            where=step.where,
        )

    def no_entry(self, entry: str, code: str, files: Iterable[str], step: Step) -> None:
        """Report that the folder ``code`` does not hold the file that is to start."""
        there = sorted(files)
        guess = near(entry, there)
        misuse(
            "D052",
            f"{step.name}: there is no {entry!r} in {code}",
            help=f"did you mean {guess!r}?" if guess is not None else f"it holds {', '.join(there[:12]) or 'nothing'}",
            step=step.name,
            where=step.where,
            edit=slip(entry, there),
        )

    def declared_card(self, group: str) -> Intent | None:
        """What ``mlops.toml`` says of the models of a group."""
        file = self._folders[-1] / CONFIGURATION if self._folders else Path()
        if not file.is_file() or b"cards" not in file.read_bytes():
            return None
        from mlops.project.card_intent import read_intent  # few projects have any

        return read_intent(self._folders[-1], group)

    def source(self, given: str, *, step: Step, what: str) -> Path | None:
        """A file or folder that the author named, looked for beside the pipeline file, then in the project's root."""
        if isinstance(given, Poison):
            return None
        if not given or given.startswith("s3://"):
            misuse(
                "D052",
                f"{step.name}: {what} {given!r} is not a local file or folder",
                step=step.name,
                where=step.where,
            )
            return None
        for folder in self._folders:
            if (folder / given).exists():
                root = self._folders[-1].resolve()
                if not (folder / given).resolve().is_relative_to(root):
                    misuse(
                        "D053",
                        f"{step.name}: {what} {given!r} lies outside of the project {root}",
                        help="copy it into the project, so that it is the same for everybody",
                        step=step.name,
                        where=step.where,
                    )
                    return None
                return folder / given
        tried = " or in ".join(str(folder) for folder in self._folders)
        there = [path.name for folder in self._folders if folder.is_dir() for path in folder.iterdir()]
        guess = near(given, there)
        misuse(
            "D052",
            f"{step.name}: there is no {what} {given!r} in {tried}",
            help=f"did you mean {guess!r}?" if guess is not None else "it is looked for there alone, and nowhere else",
            step=step.name,
            where=step.where,
            edit=slip(given, there),
        )
        return None

    def asset(self, source: Path, *, step: Step, archive: str | None = None) -> Asset | None:
        """Local content to be in the account before the pipeline runs; ``archive`` is the object's name as a tar."""
        files = self.files(source, step=step)
        return None if files is None else self.asset_of(files, step=step, archive=archive)

    def files(self, source: Path, *, step: Step) -> tuple[tuple[str, Path], ...] | None:
        """What is shipped of a file or folder; None where nothing can be, which is told."""
        try:
            files = collect(source)
        except (UnshippableFile, OSError) as error:
            misuse("D053", f"{step.name}: {error}", step=step.name, where=step.where)
            return None
        if not files:
            message = f"{step.name}: the folder {source} is empty"
            misuse("D053", message, step=step.name, where=step.where)
            return None
        return files

    def asset_of(self, files: tuple[tuple[str, Path], ...], *, step: Step, archive: str | None = None) -> Asset:
        """The same of files that were chosen one by one: (POSIX path in the asset, local file), sorted."""
        found = self._digests(files, step)
        content = address_of(found)
        uri = self.environment.uri("assets", content, *((archive,) if archive else ()))
        each = tuple(item.content for item in found)
        asset = Asset(content, uri, files, archive is not None, step.where, digests=each)
        self.assets.setdefault((uri, asset.archive), asset)
        return asset

    def bundle(self, sources: Sequence[Path], *, step: Step) -> Asset | None:
        """Several files and folders beside each other in one place; a folder keeps its name."""
        files: dict[str, Path] = {}
        for source in sources:
            try:
                inside = collect(source)
            except (UnshippableFile, OSError) as error:
                misuse("D053", f"{step.name}: {error}", step=step.name, where=step.where)
                return None
            folder = f"{source.name}/" if source.is_dir() else ""
            for relative, path in inside:
                if files.setdefault(folder + relative, path) != path:
                    message = f"{step.name}: {files[folder + relative]} and {path} would be one file {folder}{relative}"
                    misuse("D053", message, help="rename one of them", step=step.name, where=step.where)
                    return None
        listed = tuple(sorted(files.items()))
        found = self._digests(listed, step)
        content = address_of(found)
        each = tuple(item.content for item in found)
        asset = Asset(content, self.environment.uri("assets", content), listed, False, step.where, digests=each)
        self.assets.setdefault((asset.uri, asset.archive), asset)
        return asset

    def _digests(self, files: tuple[tuple[str, Path], ...], step: Step) -> tuple[Digest, ...]:
        """Of files of which one cannot be read, which is told, none."""
        try:
            return digests(files)
        except OSError as error:
            message = f"{step.name}: {error.filename} cannot be read: {error.strerror}"
            misuse("D053", message, step=step.name, where=step.where)
            return ()

    @property
    def root(self) -> Path:
        """The project's root: nothing outside of it is shipped."""
        return self._folders[-1].resolve()

    def data(self, given: Reference | str | Path, *, step: Step) -> Value:
        """The S3 URI of an input. A Path, or a string that is no URI, names local data, which becomes an asset."""
        given = given.as_posix() if isinstance(given, Path) else given
        if not isinstance(given, str) or "://" in given:
            return lower(given)
        found = self.source(given, step=step, what="data")
        asset = found and self.asset(found, step=step)
        if not found or not asset:
            return Unknown()
        return f"{asset.uri}/{found.name}" if found.is_file() else f"{asset.uri}/"

    def steps(self, steps: Iterable[BlockMember]) -> tuple[StepRecord, ...]:
        return tuple(step.record(self) for step in steps)


def _given_at(folders: Sequence[Path], environment: Environment, parameter: str) -> Where | None:
    """The line of mlops.toml that gives a parameter's default."""
    return place_of(folders[-1], environment.name, "parameters", parameter) if folders else None


def lower_pipeline(pipeline: Pipeline, environment: Environment, images: Images, folders: Iterable[Path]) -> Definition:
    """Misuses that only show here (an image, a missing file) are recorded like all others.

    ``folders`` are searched for the author's files, in order; the last is the project's."""
    folders = tuple(folders)
    if pipeline.role is not None:
        environment = replace(environment, role=pipeline.role)
    with compiled_for(environment):
        return _lowered(pipeline, environment, Lowering(pipeline.name, environment, images, folders), folders)


def _lowered(pipeline: Pipeline, environment: Environment, lowering: Lowering, folders: tuple[Path, ...]) -> Definition:
    for parameter in pipeline.parameters:
        given = environment.parameters.get(parameter.name)
        if given is not None and not parameter.fits(given):
            misuse(
                "D023",
                f"the environment {environment.name} gives {parameter.label} the default {given!r}",
                help=f"mlops.toml, [env.{environment.name}] parameters: give a value of type {parameter.type_name}",
                where=_given_at(folders, environment, parameter.name) or parameter.where,
            )
    try:
        steps = seeded(
            lowering.steps(pipeline.steps), seed_value(pipeline, environment, folders[-1] if folders else None)
        )
    except RecursionError:
        misuse("D004", f"the branches of {pipeline.name} are nested too deeply", where=pipeline.where)
        steps = ()
    cap = environment.max_instances
    given_here = _defaults(pipeline, environment)
    parameters = tuple(parameter.record(given_here) for parameter in pipeline.parameters)
    return Definition(
        name=pipeline.name,
        parameters=capped_parameters(parameters, steps, cap, given_here),
        steps=capped_steps(steps, cap),
        members=merge(_members(pipeline), pipeline.members),
        description=pipeline.description,
        display_name=pipeline.display_name,
        tags={**environment.tags, **pipeline.tags},
        parallelism=pipeline.parallelism,
        assets=tuple(sorted(lowering.assets.values(), key=lambda asset: asset.uri)),
        where=Where(pipeline.where.file, pipeline.where.line),
        has_parameters="Parameters" not in pipeline.members,
    )


def _defaults(pipeline: Pipeline, environment: Environment) -> dict[str, str | int | float | bool]:
    """Those of the environment, without files of this machine: a run stores these, and gives their place."""
    if not environment.is_local:
        return dict(environment.parameters)
    declared = {parameter.name: parameter.default for parameter in pipeline.parameters}
    given = environment.parameters.items()
    return {name: value for name, value in given if not names_a_file(value, declared.get(name))}


def lower_resources(
    resources: Iterable[BlockMember], file: Path, environment: Environment, images: Images, folders: Iterable[Path]
) -> Definition:
    """What a file declares beside its pipelines, as :attr:`Definition.of_resources` has it."""
    lowering = Lowering(file.stem, environment, images, tuple(folders))
    with compiled_for(environment):
        steps = capped_steps(lowering.steps(resources), environment.max_instances)
    return Definition(
        name=file.stem,
        steps=steps,
        members={"Version": VERSION, "Metadata": {}},
        tags=dict(environment.tags),
        assets=tuple(sorted(lowering.assets.values(), key=lambda asset: asset.uri)),
        where=Where(str(file), steps[0].where.line if steps else None),
        of_resources=True,
    )


def _members(pipeline: Pipeline) -> dict[str, Value]:
    """The document without Parameters and Steps."""
    experiment = Experiment(pipeline_name) if pipeline.experiment is True else pipeline.experiment
    written: dict[str, Value] = {
        "Version": VERSION,
        "Metadata": dict(pipeline.metadata),
        # Null switches Experiments off.
        "PipelineExperimentConfig": experiment.member() if isinstance(experiment, Experiment) else None,
    }
    if pipeline.mlflow is None:
        return written
    return {**written, "MlflowConfig": pipeline.mlflow.member() if pipeline.mlflow else None}
