"""How the official SDK and SageMaker's requests call what an argument is called here, for who brings their words."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache

from mlops.ir.dataclass import dataclass
from mlops.ir.fields import Field, Record

_WHEREVER: Mapping[str, str] = {
    "base_job_name": "name",
    "compute": "instance",
    "destination": "to",
    "container_entry_point": "command",
    "env": "environment",
    "estimator": "job",
    "image_uri": "image",
    "inputs": "data",
    "instance_count": "count",
    "instance_type": "instance",
    "job_arguments": "args",
    "lambda_arn": "function",
    "lambda_func": "function",
    "max_run": "max_runtime",
    "metric": "objective",
    "max_runtime_in_seconds": "max_runtime",
    "model_data": "model",
    "output": "to",
    "output_kms_key": "kms_key",
    "output_path": "to",
    "random_seed": "seed",
    "random_state": "seed",
    "role_arn": "role",
    "s3_data": "source",
    "data": "source",
    "step_args": "arguments",
    "training_image": "image",
    "volume_size": "volume",
    "volume_size_in_gb": "volume",
}
"""Words that mean an argument in whatever constructor it is; those of one constructor stand at its fields."""

SEEDED = "the seed is the pipeline's: Pipeline(…, seed=42) reaches each job's script as the variable MLOPS_SEED"

NEEDLESS: Mapping[str, str] = {
    "sagemaker_session": "leave it out: no session is needed",
    "session": "leave it out: no session is needed",
    "boto_session": "leave it out: no session is needed",
    "job_name": "leave it out: the service names each job, after its execution and step",
    "wait": "leave it out: a pipeline does not wait for its steps here",
    "logs": "leave it out: `mlops executions logs` shows a step's log",
    "framework_version": 'it stands in image=, e.g. image=image.sklearn("1.2-1")',
    "py_version": 'it stands in image=, e.g. image=image.pytorch("2.1", "py310")',
    "dependencies": 'modules beside the script travel with it in a folder: code="src", entry="train.py"',
    "random_seed": SEEDED,
    "random_state": SEEDED,
    "seed": SEEDED,
    "region": "leave it out: mlops.toml has the region of each environment",
    "property_file": 'a step states its reports, and a value is read by name: evaluate.reports["quality"]["accuracy"]',
}
"""Arguments of the official SDK that nothing here stands for, and why."""


_OF_PARAMETERS = {"String": "string", "Integer": "integer", "Float": "float", "Boolean": "boolean"}
NAMES: Mapping[str, str] = {
    **{f"Parameter{kind}": f'here it is pipeline.{name}("Name", default=…)' for kind, name in _OF_PARAMETERS.items()},
    "AutoMLStep": "here it is AutoML",
    "CacheConfig": 'a step takes cache="P30D"',
    "CallbackStep": "here it is Callback",
    "ClarifyCheckStep": "here it is DataBiasCheck, ModelBiasCheck or ExplainabilityCheck",
    "ConditionEquals": "compare references: with when(rate == 1)",
    "ConditionGreaterThan": "compare references: with when(rate > 0.8)",
    "ConditionGreaterThanOrEqualTo": "compare references: with when(rate >= 0.8)",
    "ConditionIn": "ask the reference: with when(kind.in_(1, 2))",
    "ConditionLessThan": "compare references: with when(rate < 0.8)",
    "ConditionLessThanOrEqualTo": "compare references: with when(rate <= 0.8)",
    "ConditionNot": "write ~ before a condition: when(~(rate > 0.8))",
    "ConditionOr": "join conditions with |: when((rate > 0.8) | (kind == 1))",
    "ConditionStep": "here it is: with when(rate > 0.8) as good: … with good.otherwise(): …",
    "CreateModelStep": "here it is Model",
    "EMRServerlessStep": "here it is EMRServerless",
    "EMRStep": "here it is EMR",
    "Estimator": "here it is a Training step, with the image: Training(…, image=…)",
    "ExecutionVariables": "here it is execution, e.g. execution.pipeline_name",
    "FailStep": "here it is Fail",
    "FrameworkProcessor": "here it is a Processing step, with the image: Processing(…, image=…)",
    "Join": 'here it is join("a", reference, on="/")',
    "JsonGet": 'here it is evaluate.reports["quality"]["accuracy"], or json_file("s3://…")["accuracy"]',
    "LambdaStep": "here it is Lambda",
    "ModelStep": "here it is Model, or RegisterModel",
    "NotebookJobStep": "here it is NotebookJob",
    "PipelineSession": "leave it out: no session is needed",
    "ProcessingInput": "here it is Input, or the data alone: inputs={'name': data}",
    "ProcessingOutput": "here it is Output, or the name alone: outputs=['name']",
    "ProcessingStep": "here it is Processing",
    "PropertyFile": "a step takes reports={'quality': 'report/evaluation.json'}",
    "PyTorch": 'here it is a Training step, with image=image.pytorch("2.1", "py310")',
    "QualityCheckStep": "here it is DataQualityCheck, or ModelQualityCheck",
    "SKLearn": 'here it is a Training step, with image=image.sklearn("1.2-1")',
    "SKLearnProcessor": 'here it is a Processing step, with image=image.sklearn("1.2-1")',
    "ScriptProcessor": "here it is a Processing step, with the image: Processing(…, image=…)",
    "Session": "leave it out: no session is needed",
    "TrainingInput": "here it is Channel, or the data alone: channels={'train': data}",
    "TrainingStep": "here it is Training",
    "TransformStep": "here it is Transform",
    "TuningStep": "here it is Tuning",
    "XGBoost": 'here it is a Training step, with image=image.xgboost("1.7-1")',
}
"""What the official SDK's names are here."""

METHODS: Mapping[str, str] = {
    "check": "`mlops check FILE` tells what is wrong with it",
    "create": '`mlops upsert FILE --env ENV` puts it into an account, as pipeline.upsert("ENV") does in a program',
    "definition": "`mlops compile FILE` prints it",
    "delete": "`mlops destroy FILE --env ENV` takes it away",
    "add_depends_on": "a step takes after=[…]",
    "add_step": "a step made inside `with Pipeline(…)` belongs to it",
    "describe": '`mlops plan FILE --env ENV` compares it with the account\'s, as pipeline.plan("ENV") does',
    "execute": "`mlops run FILE` runs it here, `mlops start NAME --env ENV` in an account",
    "plan": "`mlops plan FILE --env ENV` compares it with the account's",
    "start": "`mlops run FILE` runs it here, `mlops start NAME --env ENV` in an account",
    "upsert": "`mlops upsert FILE --env ENV` puts it into an account",
    "update": '`mlops upsert FILE --env ENV` puts it into an account, as pipeline.upsert("ENV") does in a program',
}
"""What its pipelines do that is a command here."""
OF_THE_ENVIRONMENT = frozenset(
    {"account", "account_id", "bucket", "default_bucket", "environ", "region", "sagemaker_session", "session"}
)
"""What its sessions and ours, for each environment, have."""


@dataclass(frozen=True, slots=True)
class Family:
    """Classes of the SDK for which one or some of our constructors stand, which are ``here``; ``words`` answers each of
    their arguments, in Markdown."""

    title: str
    classes: Sequence[str]
    here: Sequence[str]
    words: Mapping[str, str]


@cache
def families() -> Sequence[Family]:
    """All that the SDK's constructors take is answered; the file says how."""
    import tomllib  # only a mistake needs it
    from importlib.resources import files

    written = tomllib.loads(files("mlops.declare").joinpath("sdk_answers.toml").read_text(encoding="utf-8"))
    everywhere = written["everywhere"]
    return [Family(it["title"], it["classes"], it["here"], {**everywhere, **it["words"]}) for it in written["family"]]


def answer(word: str, constructor: str) -> str | None:
    """What an argument of the SDK's is in that constructor of ours.

    >>> answer("job_driver", "EMRServerless")
    '`EMRServerless(script=)` with `EMRServerless(args=)`, or `EMRServerless(query=)`'
    """
    return next((family.words.get(word) for family in families() if constructor in family.here), None)


def ours(word: str, known: Sequence[str], fields: Sequence[Field], constructor: str = "") -> list[str]:
    """Those of ``known`` arguments that mean the same: by the fields' members, by what the SDK calls them, or by the
    answer for that constructor.

    >>> from mlops.ir.fields import TEXT
    >>> fields = [Field("code", "", TEXT, sdk=("entry_point",)), Field("instance", "ResourceConfig.InstanceType", TEXT)]
    >>> [ours(word, ["instance", "code"], fields) for word in ("entry_point", "instance_type", "InstanceType", "x")]
    [['code'], ['instance'], ['instance'], []]
    """
    plain = _plain(word)
    found = [
        field.name
        for field in fields
        if field.name in known and plain in map(_plain, (*field.sdk, field.path.rpartition(".")[2].lstrip("/")))
    ]
    if not found:
        found = [name for other, name in _WHEREVER.items() if _plain(other) == plain and name in known]
    if not found and word not in NEEDLESS and (said := _ALONE.fullmatch(answer(word, constructor) or "")):
        found = [said[1]] if said[1] in known else []
    return list(dict.fromkeys(found))


NOTHING = ("not needed: ", "refused: ")
"""How an answer begins that names no argument."""
_ALONE = re.compile(r"`(?:\w+\()?(\w+)=\)?`")
"""An answer that is one argument and nothing else."""


def _plain(word: str) -> str:
    return word.replace("_", "").lower()


def fields_of(record: type) -> list[Field]:
    """Those of a record, which stand in its file."""
    stated = [item for item in vars(sys.modules[record.__module__]).values() if isinstance(item, Record)]
    return [field for item in stated if item.of is record for field in item.fields]
