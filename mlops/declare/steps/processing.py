"""Processing: run a script or a container over data."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.members import execution_folder, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import (
    DataReference,
    ModelReference,
    Poison,
    Reference,
    ReportReference,
    join,
    lower,
)
from mlops.declare.shipped import mlops_secrets
from mlops.declare.slips import slip
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    VOLUME_GB,
    Count,
    Data,
    Environment,
    Flag,
    Image,
    Job,
    JobSettings,
    Text,
    environment,
    has_secrets,
    usable_names,
)
from mlops.ir import JobKind, S3Place, StepType, Unknown, Value
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
    job=JobKind(
        "ProcessingJob",
        "processing-job",
        destination="ProcessingOutputConfig",
        inputs=(S3Place(("ProcessingInputs",), label="InputName", inside=("S3Input", "S3Uri")),),
        outputs=(S3Place(("ProcessingOutputConfig", "Outputs"), label="OutputName", inside=("S3Output", "S3Uri")),),
        quota="processing job",
        log_group="/aws/sagemaker/ProcessingJobs",
    ),
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


class Outputs(Mapping[str, DataReference]):
    """The S3 URIs of a step's outputs, by name."""

    def __init__(self, step: str, names: Sequence[str]) -> None:
        self._step, self._names = step, tuple(names)

    def __getitem__(self, name: str) -> DataReference:
        if name not in self._names:
            _unknown(self._step, "output", name, self._names)
            return Poison()  # type: ignore[return-value]
        return DataReference(self._step, f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Reports(Mapping[str, ReportReference]):
    """The JSON files that a step writes, by name."""

    def __init__(self, step: str, files: Mapping[str, tuple[str, str]]) -> None:
        self._step, self._files = step, dict(files)

    def __getitem__(self, name: str) -> ReportReference:
        if name not in self._files:
            _unknown(self._step, "report", name, tuple(self._files))
            return Poison()  # type: ignore[return-value]
        output, path = self._files[name]
        folder = DataReference(self._step, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
        return ReportReference(self._step, name, join(folder, path, on="/"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class Processing(Step):
    """Runs ``code`` (a script, or a folder with ``entry`` in it) in ``image``; without code, the image's own command.

    The container finds input ``x`` in ``/opt/ml/processing/input/x`` and leaves output ``y`` in
    ``/opt/ml/processing/output/y``. ``reports`` names JSON files in outputs, ``{"quality": "report/evaluation.json"}``
    being ``evaluation.json`` in the output ``report``. ``volume`` is in GB, ``max_runtime`` in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job

    def __init__(
        self,
        name: str,
        *,
        image: Image,
        code: str | None = None,
        entry: str | None = None,
        command: Sequence[Text] | None = None,
        args: Sequence[str | Reference] = (),
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
        self.job = JobSettings.of(shared)
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
        self._outputs = {key: Output(path=item) if isinstance(item, str) else item for key, item in given.items()}
        self.outputs = Outputs(name, tuple(self._outputs))
        self._reports = self._split_reports(reports or {})
        self.reports = Reports(name, self._reports)
        for taken, by in ((CODE, code is not None), (SECRETS, has_secrets(self.environment))):
            if taken in self.inputs and by:
                message = f"{name}: the input name {taken!r} is taken by what brings the script"
                misuse("D060", message, step=name)
                del self.inputs[taken]

    def request(self, lowering: Lowering) -> dict[str, Value]:
        instance = lowering.instance(self.instance)
        outputs = tuple(self._output(lowering, name, output) for name, output in self._outputs.items())
        entrypoint, code = self._code(lowering)
        resolved = has_secrets(self.environment) and entrypoint is not None
        if resolved and isinstance(entrypoint, tuple):
            folder = f"{INPUT_FOLDER}/{SECRETS}"
            entrypoint = ("python3", f"{folder}/{RESOLVER.name}", *entrypoint)
            asset = lowering.asset_of(((RESOLVER.name, RESOLVER),), step=self)
            code = (*code, _s3_input(SECRETS, f"{asset.uri}/", Input(asset.uri)))
        inputs = (*(self._input(lowering, name, given) for name, given in self.inputs.items()), *code)
        return without_none(
            {
                "ProcessingResources": {
                    "ClusterConfig": without_none(
                        {
                            "InstanceType": instance,
                            "InstanceCount": lower(self.count),
                            "VolumeSizeInGB": lower(self.volume),
                            "VolumeKmsKeyId": self.job.volume_kms_key(lowering),
                        }
                    )
                },
                "AppSpecification": without_none(
                    {
                        "ImageUri": lowering.image(self.image, scope="training", instance=instance, step=self),
                        "ContainerEntrypoint": entrypoint,
                        "ContainerArguments": lower(self.args) if self.args else None,
                    }
                ),
                "RoleArn": self.job.role(lowering),
                "ProcessingInputs": inputs or None,
                "ProcessingOutputConfig": without_none({"Outputs": outputs, "KmsKeyId": self.job.kms_key(lowering)})
                if outputs
                else None,
                "Environment": environment(self.environment, resolved=resolved),
                "StoppingCondition": None
                if self.max_runtime is None
                else {"MaxRuntimeInSeconds": lower(self.max_runtime)},
                "NetworkConfig": self.job.network_config(lowering),
                "Tags": self.job.tags(lowering),
            }
        )

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        files = tuple(
            {"PropertyFileName": name, "OutputName": output, "FilePath": path}
            for name, (output, path) in self._reports.items()
            if output in self._outputs
        )
        return {"PropertyFiles": files} if files else {}

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
            message = f"{self.name}: there is no {entry!r} in {self.code}"
            misuse("D052", message, step=self.name, where=self.where)
        folder = f"{INPUT_FOLDER}/{CODE}"
        return (*map(lower, self.command or ("python3",)), f"{folder}/{entry}"), (script_input(uri),)

    def _input(self, lowering: Lowering, name: str, given: Source | Input | Athena | Redshift) -> Value:
        settings = given if isinstance(given, Input) else Input(given)
        if not isinstance(settings.source, Athena | Redshift):
            return _s3_input(name, lowering.data(settings.source, step=self), settings)
        folder = f"{INPUT_FOLDER}/{name}" if settings.path is None else lower(settings.path)
        common = {
            "LocalPath": folder,
            "DataDistributionType": settings.distribution,
            "InputMode": settings.mode,
        }
        query = self._query(lowering, name, settings.source)
        return without_none(
            {
                "InputName": name,
                "AppManaged": lower(settings.app_managed),
                "DatasetDefinition": without_none({**query, **common}),
            }
        )

    def _query(self, lowering: Lowering, name: str, source: Athena | Redshift) -> dict[str, Value]:
        target = execution_folder(lowering, self.name, "input", name) if source.to is None else lower(source.to)
        key = self.job.kms_key(lowering) if source.kms_key is None else lower(source.kms_key)
        result: dict[str, Value] = {
            "QueryString": lower(source.query),
            "Database": lower(source.database),
            "OutputS3Uri": target,
            "OutputFormat": source.format,
            "OutputCompression": source.compression,
            "KmsKeyId": key,
        }
        if isinstance(source, Athena):
            own = {"Catalog": lower(source.catalog), "WorkGroup": lower(source.workgroup)}
            return {"AthenaDatasetDefinition": without_none({**own, **result})}
        own = {
            "ClusterId": lower(source.cluster),
            "DbUser": lower(source.user),
            "ClusterRoleArn": self.job.role(lowering) if source.role is None else lower(source.role),
        }
        return {"RedshiftDatasetDefinition": without_none({**own, **result})}

    def _output(self, lowering: Lowering, name: str, output: Output) -> Value:
        target = execution_folder(lowering, self.name, "output", name) if output.to is None else lower(output.to)
        folder = f"{OUTPUT_FOLDER}/{name}" if output.path is None else lower(output.path)
        to_s3 = output.feature_group is None or output.to is not None
        return without_none(
            {
                "OutputName": name,
                "S3Output": {"S3Uri": target, "LocalPath": folder, "S3UploadMode": output.upload} if to_s3 else None,
                "FeatureStoreOutput": None
                if output.feature_group is None
                else {"FeatureGroupName": lower(output.feature_group)},
                "AppManaged": lower(output.app_managed),
            }
        )

    def _split_reports(self, reports: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        files = {}
        for name, path in reports.items():
            output, _, file = path.partition("/")
            if not file or output not in self._outputs:
                misuse(
                    "D062",
                    f"{self.name}: the report {name} is {path!r}, which does not begin with one of the step's outputs",
                    help=f"write it as <output>/<file>; the outputs are {', '.join(self._outputs) or 'none'}",
                    step=self.name,
                )
            files[name] = (output, file)
        return files


def script_input(uri: str, name: str = CODE) -> Value:
    """The input that brings the script."""
    return _s3_input(name, uri, Input(uri))


def _s3_input(name: str, uri: Value, settings: Input) -> Value:
    return without_none(
        {
            "InputName": name,
            "AppManaged": lower(settings.app_managed),
            "S3Input": without_none(
                {
                    "S3Uri": uri,
                    "LocalPath": f"{INPUT_FOLDER}/{name}" if settings.path is None else lower(settings.path),
                    "S3DataType": settings.kind,
                    "S3InputMode": settings.mode,
                    "S3DataDistributionType": settings.distribution,
                    "S3CompressionType": settings.compression,
                }
            ),
        }
    )


def _unknown(step: str, kind: str, name: str, known: Sequence[str]) -> None:
    close = difflib.get_close_matches(name, known, n=1)
    mend = f"did you mean {close[0]!r}? " if close else ""
    misuse(
        "D032",
        f"step {step} has no {kind} {name!r}",
        help=f"{mend}its {kind}s are {', '.join(known) or 'none'}",
        step=step,
        edit=slip(name, known),
    )
