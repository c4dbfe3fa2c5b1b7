"""Processing: run a script or a container over data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.by_name import ByName
from mlops.declare.members import as_given, execution_folder, member, members, record_of, with_values
from mlops.declare.misuse import misuse
from mlops.declare.processing_job import PROCESSING_JOB
from mlops.declare.records import record
from mlops.declare.references import (
    DataReference,
    ModelReference,
    ReportReference,
    lower,
)
from mlops.declare.run_time_texts import join
from mlops.declare.shipped import mlops_secrets
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    OWN_TAGS,
    ROLE,
    VOLUME_GB,
    Count,
    Data,
    Environment,
    Flag,
    Image,
    Job,
    Text,
    Word,
    environment,
    has_secrets,
    network,
    usable_names,
)
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import (
    COUNT,
    DATA,
    FLAG,
    MAP,
    REPORT,
    REQUIRED,
    TEXT,
    TEXT_MAP,
    TEXTS,
    TRAINED,
    WORDS,
    Constructor,
    Field,
    Given,
    Made,
    Missing,
    Of,
    Record,
    Said,
    Spoken,
    Yielded,
    by_name,
    choice,
    hidden,
    made,
    named,
    objects,
)
from mlops.ir.languages import starter
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Athena", "Input", "Output", "Processing", "Redshift"]

STEP_TYPE = StepType(
    type="Processing",
    request="CreateProcessingJobRequest",
    omits=frozenset({"ProcessingJobName"}),
    response="DescribeProcessingJobResponse",
    keyed={"ProcessingOutputConfig.Outputs": "OutputName", "ProcessingInputs": "InputName"},
    producers={
        "ProcessingOutputConfig.Outputs": "ProcessingOutputConfig.Outputs.OutputName",
        "ProcessingInputs": "ProcessingInputs.InputName",
    },
    envelope=frozenset({"CacheConfig", "RetryPolicies", "PropertyFiles"}),
    cache_keys=("AppSpecification", "Environment", "ProcessingInputs"),
    states_resource="arn:aws:states:::sagemaker:createProcessingJob.sync",
    action="processing",
    job=PROCESSING_JOB,
    permissions=to_run("ProcessingJob"),
)

INPUT_FOLDER = "/opt/ml/processing/input"
OUTPUT_FOLDER = "/opt/ml/processing/output"
CODE = "code"
"""The name of the input that brings the script."""

SECRETS = "mlops"
"""The name of the input that brings what reads secrets."""
RESOLVER = Path(mlops_secrets.__file__)

Source: TypeAlias = Data | ModelReference


@record
class Athena:
    """Rows of an Athena query, written to ``to`` (below this execution's folder where it is left out) and read from
    there. ``compression`` is GZIP, SNAPPY or ZLIB."""

    query: Text
    database: Text
    catalog: Text = "AwsDataCatalog"
    format: Literal["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"] = "PARQUET"
    compression: Literal["GZIP", "SNAPPY", "ZLIB"] | None = None
    workgroup: Text | None = None
    to: Text | None = None
    kms_key: Text | None = None


@record
class Redshift:
    """Rows of a Redshift query, unloaded to ``to`` (below this execution's folder where it is left out) by ``role``
    (the step's own where it is left out) and read from there."""

    query: Text
    cluster: Text
    database: Text
    user: Text
    role: Text | None = None
    format: Literal["PARQUET", "CSV"] = "PARQUET"
    compression: Literal["None", "GZIP", "BZIP2", "ZSTD", "SNAPPY"] | None = None
    to: Text | None = None
    kms_key: Text | None = None


@record
class Input:
    """An input with more to say than where it comes from. ``path`` is the folder in the container. A manifest lists
    objects. ``app_managed``: the container fetches it by itself. None leaves a member out."""

    source: Source | Athena | Redshift
    path: Text | None = None
    distribution: Literal["FullyReplicated", "ShardedByS3Key"] | None = "FullyReplicated"
    mode: Literal["File", "Pipe"] | None = "File"
    kind: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    compression: Literal["None", "Gzip"] | None = "None"
    app_managed: Flag | None = None


@record
class Output:
    """An output with more to say than its name. ``path`` is the folder in the container, ``to`` an S3 URI.
    ``feature_group`` names the feature store's group that takes the records, with ``app_managed``."""

    path: Text | None = None
    to: Text | None = None
    upload: Literal["EndOfJob", "Continuous"] = "EndOfJob"
    feature_group: Text | None = None
    app_managed: Flag | None = None


class Outputs(ByName[DataReference]):
    """The S3 URIs of a step's outputs, by name."""

    def reference(self, name: str) -> DataReference:
        return DataReference(self._step, f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


class Reports(ByName[ReportReference]):
    """The JSON files that a step writes, by name."""

    kind = "report"

    def __init__(self, step: str, files: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(step, files)
        self._files = {name: files[name] for name in self._names}

    def reference(self, name: str) -> ReportReference:
        output, path = self._files[name]
        folder = DataReference(self._step, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
        return ReportReference(self._step, name, join(folder, path, on="/"))


def _query_key(query: Athena | Redshift, lowering: Lowering, step: Step) -> Value:
    """The step's own where the query has none."""
    return member(step, KMS_KEY, lowering, step) if query.kms_key is None else lower(query.kms_key)


def _query_role(query: Redshift, lowering: Lowering, step: Step) -> Value:
    return member(step, ROLE, lowering, step) if query.role is None else lower(query.role)


KMS_KEY = Field("kms_key", "ProcessingOutputConfig.KmsKeyId", TEXT, otherwise="kms_key")
ATHENA = Record(
    Athena,
    (
        Field("catalog", "Catalog", TEXT, "AwsDataCatalog"),
        Field("workgroup", "WorkGroup", TEXT),
        Field("query", "QueryString", TEXT, REQUIRED),
        Field("database", "Database", TEXT, REQUIRED),
        Field("to", "OutputS3Uri", TEXT, to=as_given("to")),
        Field("format", "OutputFormat", choice("PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"), "PARQUET"),
        Field("compression", "OutputCompression", choice("GZIP", "SNAPPY", "ZLIB")),
        Field("kms_key", "KmsKeyId", TEXT, otherwise="kms_key", to=_query_key),
    ),
)
REDSHIFT = Record(
    Redshift,
    (
        Field("cluster", "ClusterId", TEXT, REQUIRED),
        Field("user", "DbUser", TEXT, REQUIRED),
        Field("role", "ClusterRoleArn", TEXT, otherwise="role", to=_query_role),
        Field("query", "QueryString", TEXT, REQUIRED),
        Field("database", "Database", TEXT, REQUIRED),
        Field("to", "OutputS3Uri", TEXT, to=as_given("to")),
        Field("format", "OutputFormat", choice("PARQUET", "CSV"), "PARQUET"),
        Field("compression", "OutputCompression", choice("None", "GZIP", "BZIP2", "ZSTD", "SNAPPY")),
        Field("kms_key", "KmsKeyId", TEXT, otherwise="kms_key", to=_query_key),
    ),
)
_DISTRIBUTIONS, _MODES = choice("FullyReplicated", "ShardedByS3Key"), choice("File", "Pipe")
_MANAGED = Field("app_managed", "AppManaged", FLAG)
_S3, _QUERIED = "S3Input", "DatasetDefinition"
S3_INPUT = Record(
    Input,
    (
        _MANAGED,
        Field("source", f"{_S3}.S3Uri", TRAINED, REQUIRED),
        Field("path", f"{_S3}.LocalPath", TEXT, to=as_given("path"), sdk=("destination",)),
        Field("kind", f"{_S3}.S3DataType", choice("S3Prefix", "ManifestFile"), "S3Prefix"),
        Field("mode", f"{_S3}.S3InputMode", _MODES, "File", absent="None"),
        Field("distribution", f"{_S3}.S3DataDistributionType", _DISTRIBUTIONS, "FullyReplicated", absent="None"),
        Field("compression", f"{_S3}.S3CompressionType", choice("None", "Gzip"), "None", absent="None"),
    ),
)
_READ = (
    Field("path", f"{_QUERIED}.LocalPath", TEXT, to=as_given("path")),
    Field("distribution", f"{_QUERIED}.DataDistributionType", _DISTRIBUTIONS, "FullyReplicated", absent="None"),
    Field("mode", f"{_QUERIED}.InputMode", _MODES, "File", absent="None"),
)
ATHENA_INPUT = Record(
    Input, (_MANAGED, Field("source", f"{_QUERIED}.AthenaDatasetDefinition", made(ATHENA), REQUIRED), *_READ)
)
REDSHIFT_INPUT = Record(
    Input, (_MANAGED, Field("source", f"{_QUERIED}.RedshiftDatasetDefinition", made(REDSHIFT), REQUIRED), *_READ)
)


def _input(name: str, given: Source | Input | Athena | Redshift, lowering: Lowering, step: Step) -> Value:
    settings = given if isinstance(given, Input) else Input(given)
    source, form = settings.source, S3_INPUT
    folder = f"{INPUT_FOLDER}/{name}" if settings.path is None else lower(settings.path)
    if isinstance(source, Athena | Redshift):
        form = ATHENA_INPUT if isinstance(source, Athena) else REDSHIFT_INPUT
        target = execution_folder(lowering, step.name, "input", name) if source.to is None else lower(source.to)
        source = with_values(source, to=target)
    return {"InputName": name, **record_of(with_values(settings, source=source, path=folder), form, lowering, step)}


def _inputs(step: Processing, lowering: Lowering, _: Step) -> Value:
    own = tuple(_input(name, given, lowering, step) for name, given in step.inputs.items())
    return (*own, *step.program(lowering)[1]) or None


_INPUTS, _OUTPUTS = "ProcessingInputs", "ProcessingOutputConfig.Outputs"


def _said_inputs(given: Given) -> Spoken | None:
    found = named(given.at(_INPUTS), "InputName")
    return {name: _said_input(name, item) for name, item in found.items()} or None


_INPUT = made(S3_INPUT, ATHENA_INPUT, REDSHIFT_INPUT, short=TRAINED.accepts)


def _said_input(name: str, item: Mapping[str, Value]) -> Spoken:
    """Without a folder that is where it would be anyway."""
    where = {key: value for key, value in item.items() if key != "InputName"}
    for member_name in (_S3, _QUERIED):
        place = where.get(member_name)
        if isinstance(place, Mapping) and place.get("LocalPath") == f"{INPUT_FOLDER}/{name}":
            where[member_name] = {key: value for key, value in place.items() if key != "LocalPath"}
    return Of(_INPUT, where)


OUTPUT = Record(
    Output,
    (
        Field("to", "S3Output.S3Uri", TEXT, to=as_given("to"), sdk=("destination",)),
        Field("path", "S3Output.LocalPath", TEXT, to=as_given("path"), sdk=("source",)),
        Field("upload", "S3Output.S3UploadMode", choice("EndOfJob", "Continuous"), "EndOfJob"),
        Field("feature_group", "FeatureStoreOutput.FeatureGroupName", TEXT),
        _MANAGED,
    ),
    positional=0,
)


def _outputs(step: Processing, lowering: Lowering, _: Step) -> Value:
    return tuple(_output(name, given, lowering, step) for name, given in step.given_outputs.items()) or None


def _output(name: str, given: Output, lowering: Lowering, step: Step) -> Value:
    if given.feature_group is None or given.to is not None:
        target = execution_folder(lowering, step.name, "output", name) if given.to is None else lower(given.to)
        given = with_values(
            given, to=target, path=f"{OUTPUT_FOLDER}/{name}" if given.path is None else lower(given.path)
        )
    else:
        given = with_values(given, path=None, upload=None)
    return {"OutputName": name, **members(given, OUTPUT.fields, lowering, step)}


def _said_outputs(given: Given) -> Spoken | None:
    """What a record has no word for is left to ``arguments=``."""
    found = named(given.at(_OUTPUTS), "OutputName")
    return {name: _said_output(name, given.inside(item)) for name, item in found.items()} or None


def _said_output(name: str, output: Given) -> Spoken:
    values = {field: output.at(field.path) for field in OUTPUT.in_order}
    usual = {"path": f"{OUTPUT_FOLDER}/{name}", "upload": "EndOfJob"}
    told = {
        field.name: Of(field.kind, value)
        for field, value in values.items()
        if not isinstance(value, Missing) and value != usual.get(field.name, ...)
    }
    return Made("Output", (), told)


def _given_outputs(given: Given) -> dict[str, Yielded]:
    names = [item.get("OutputName") for item in objects(given.at(_OUTPUTS))]
    return {
        f"{_OUTPUTS}['{name}'].S3Output.S3Uri": Yielded("outputs", DATA, name)
        for name in names
        if isinstance(name, str)
    }


def _files(step: Processing, *_: object) -> Value:
    return (
        tuple(
            {"PropertyFileName": name, "OutputName": output, "FilePath": path}
            for name, (output, path) in step.files.items()
            if output in step.given_outputs
        )
        or None
    )


def _told_files(given: Given) -> dict[str, tuple[str, str]]:
    """Name to (output, file) of the step's property files; empty where they are no reports of its outputs."""
    outputs = named(given.at(_OUTPUTS), "OutputName")
    found = {}
    for name, item in named(given.at("/PropertyFiles"), "PropertyFileName").items():
        output, path = item.get("OutputName"), item.get("FilePath")
        if not isinstance(output, str) or output not in outputs or not isinstance(path, str) or not path:
            return {}
        found[name] = (output, path)
    return found


def _said_reports(given: Given) -> Spoken | None:
    return {name: Said(f"{output}/{path}") for name, (output, path) in _told_files(given).items()} or None


def _given_reports(given: Given) -> dict[str, Yielded]:
    return {f"PropertyFiles.{name}": Yielded("reports", REPORT, name) for name in _told_files(given)}


def _image(step: Processing, lowering: Lowering, _: Step) -> Value:
    return lowering.image(step.image, scope="training", instance=lowering.instance(step.instance), step=step)


def _environment(step: Processing, lowering: Lowering, _: Step) -> Value:
    entrypoint = step.program(lowering)[0]
    return environment(step.environment, resolved=has_secrets(step.environment) and entrypoint is not None)


def _kms_key(step: Processing, lowering: Lowering, _: Step) -> Value:
    return member(step, KMS_KEY, lowering, step) if step.given_outputs else None


_CLUSTER = "ProcessingResources.ClusterConfig"

FIELDS = (
    Field("instance", f"{_CLUSTER}.InstanceType", TEXT, otherwise="instance"),
    Field("count", f"{_CLUSTER}.InstanceCount", COUNT, 1),
    Field("volume", f"{_CLUSTER}.VolumeSizeInGB", COUNT, VOLUME_GB, sdk=("volume_size",)),
    Field("volume_kms_key", f"{_CLUSTER}.VolumeKmsKeyId", TEXT, otherwise="kms_key"),
    Field("image", "AppSpecification.ImageUri", TEXT, REQUIRED, to=_image),
    hidden("code", sdk=("source_dir", "entry_point", "source_code")),
    hidden("entry", sdk=("entry_point", "entry_script")),
    Field(
        "command", "AppSpecification.ContainerEntrypoint", TEXTS, to=lambda step, lowering, _: step.program(lowering)[0]
    ),
    Field("args", "AppSpecification.ContainerArguments", WORDS, ()),
    ROLE,
    Field("inputs", _INPUTS, by_name("InputName", *_INPUT.records), to=_inputs, said=_said_inputs),
    Field(
        "outputs", _OUTPUTS, by_name("OutputName", OUTPUT), (), to=_outputs, said=_said_outputs, gives=_given_outputs
    ),
    KMS_KEY._replace(to=_kms_key),
    Field("environment", "Environment", MAP, to=_environment),
    Field("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", COUNT),
    network("NetworkConfig"),
    OWN_TAGS,
    Field("reports", "/PropertyFiles", TEXT_MAP, to=_files, said=_said_reports, gives=_given_reports),
)


class Processing(Step):
    """Runs ``code`` (a script, or a folder with ``entry`` in it) in ``image``; without code, the image's own command.

    The container finds input ``x`` in ``/opt/ml/processing/input/x`` and leaves output ``y`` in
    ``/opt/ml/processing/output/y``. ``reports`` names JSON files in outputs, ``{"quality": "report/evaluation.json"}``
    being ``evaluation.json`` in the output ``report``. ``volume`` is in GB, ``max_runtime`` in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job
    constructor = Constructor(FIELDS)

    def __init__(
        self,
        name: str,
        *,
        image: Image,
        code: str | None = None,
        entry: str | None = None,
        command: Sequence[Text] | None = None,
        args: Sequence[Word] = (),
        inputs: Mapping[str, Source | Input | Athena | Redshift] | None = None,
        outputs: Sequence[str] | Mapping[str, str | Output] = (),
        reports: Mapping[str, str] | None = None,
        environment: Environment | None = None,
        instance: Text | None = None,
        count: Count = 1,
        volume: Count = VOLUME_GB,
        max_runtime: Count | None = None,
        **shared: Unpack[Job],
    ) -> None:
        self.share(name, shared)
        self.image = image
        self.code = code
        self.entry = entry
        self.command = None if command is None else tuple(command)
        self.args = tuple(args)
        self.inputs = dict(inputs or {})
        self.environment = dict(environment or {})
        self.instance = instance
        self.count = count
        self.volume = volume
        self.max_runtime = max_runtime
        given = outputs if isinstance(outputs, Mapping) else dict.fromkeys(outputs, Output())
        for names, what in ((list(outputs), "output"), (list(self.inputs), "input")):
            usable_names(name, what, names)
        self.given_outputs = {key: Output(path=item) if isinstance(item, str) else item for key, item in given.items()}
        self.outputs = Outputs(name, self.given_outputs)
        self.files = self._split_reports(reports or {})
        self.reports = Reports(name, self.files)
        for taken, by in ((CODE, code is not None), (SECRETS, has_secrets(self.environment))):
            if taken in self.inputs and by:
                message = f"{name}: the input name {taken!r} is taken by what brings the script"
                misuse("D060", message, step=name)
                del self.inputs[taken]

    def program(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        """The container's entry point, and the inputs that bring what it starts."""
        return lowering.once(self, lambda: self._program(lowering))

    def _program(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        entrypoint, code = self._code(lowering)
        if isinstance(entrypoint, tuple) and has_secrets(self.environment):
            entrypoint = ("python3", f"{INPUT_FOLDER}/{SECRETS}/{RESOLVER.name}", *entrypoint)
            asset = lowering.asset_of(((RESOLVER.name, RESOLVER),), step=self)
            code = (*code, script_input(f"{asset.uri}/", SECRETS, lowering, self))
        return entrypoint, code

    def _code(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        """The container's entry point and the input that brings the code."""
        if self.code is None:
            return None if self.command is None else lower(self.command), ()
        source = lowering.source(self.code, step=self, what="code")
        asset = source and lowering.asset(source, step=self)
        if not source or not asset:
            return Unknown(), ()
        if source.is_dir():
            if not self.entry:
                message = f"{self.name}: code is a folder, so entry= has to say which file in it starts"
                misuse("D061", message, step=self.name, where=self.where)
                return Unknown(), ()
            entry, uri = self.entry, f"{asset.uri}/"
        else:
            entry, uri = source.name, f"{asset.uri}/{source.name}"
        if source.is_dir() and entry not in dict(asset.files):
            lowering.no_entry(entry, self.code, dict(asset.files), self)
        folder = f"{INPUT_FOLDER}/{CODE}"
        return (*map(lower, self.command or (starter(entry),)), f"{folder}/{entry}"), (
            script_input(uri, CODE, lowering, self),
        )

    def _split_reports(self, reports: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        files = {}
        for name, path in reports.items():
            output, _, file = path.partition("/")
            if (not file or output not in self.given_outputs) and "outputs" not in self.wrong:
                misuse(
                    "D062",
                    f"{self.name}: the report {name} is {path!r}, which does not begin with one of the step's outputs",
                    help=f"write it as <output>/<file>; the outputs are {', '.join(self.given_outputs) or 'none'}",
                    step=self.name,
                )
            files[name] = (output, file)
        return files


def script_input(uri: str, name: str, lowering: Lowering, step: Step) -> Value:
    """The input that brings the script."""
    return _input(name, Input(uri), lowering, step)
