"""The mistakes that declaring a pipeline can hold: code, name, and what ``mlops explain`` says of them."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir import Severity
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """``text`` says what is found and why that is wrong, then a bad and a good line."""

    name: str
    text: str
    severity: Severity = Severity.ERROR


MISTAKES: Mapping[str, Mistake] = {
    "D001": Mistake(
        "reference-as-boolean",
        """A reference stands where Python wants True or False. Its value is known only when the pipeline runs.

Bad:  if depth: …
Good: with when(depth > 0): …""",
    ),
    "D002": Mistake(
        "reference-as-text",
        """A reference is made part of a string. Its value is known only when the pipeline runs.

Bad:  f"s3://{bucket}/raw"
Good: join("s3://", bucket, "/raw")""",
    ),
    "D003": Mistake(
        "join-part",
        """join puts strings, numbers and references together, and nothing else.

Bad:  join(["a", bucket])
Good: join("a", bucket)""",
    ),
    "D004": Mistake(
        "no-json-value",
        """A value that JSON cannot hold cannot stand in a definition.

Bad:  arguments={"Environment": {"WHEN": datetime.now()}}
Good: arguments={"Environment": {"WHEN": "2026-01-01"}}""",
    ),
    "D005": Mistake(
        "pipeline-argument",
        """A pipeline's name, description, tags, parallelism or seed is nothing that the service or a script takes.

Bad:  Pipeline("my_pipeline"), Pipeline("../x"), Pipeline("churn", parallelism=0), Pipeline("churn", seed=-1)
Good: Pipeline("my-pipeline", parallelism=4)""",
    ),
    "D006": Mistake(
        "reference-as-value",
        """A reference is calculated with, counted, looped over or taken apart. Its value is known only when the
pipeline runs; what is to be done with it is done in a step.

Bad:  Training("Train", count=machines * 2, …)
Good: Training("Train", count=pipeline.integer("Machines", default=4), …)""",
    ),
    "D010": Mistake(
        "condition-as-boolean",
        """`and`, `or`, `not`, `if` and a chained comparison decide while the file is read; a condition is
decided when the pipeline runs.

Bad:  when(0.1 <= rate <= 0.9)
Good: when((rate >= 0.1) & (rate <= 0.9))""",
    ),
    "D011": Mistake(
        "not-a-condition",
        """& and | join conditions. They bind tighter than comparisons, so each comparison wants parentheses.

Bad:  when(a > 1 & b > 2)
Good: when((a > 1) & (b > 2))""",
    ),
    "D012": Mistake(
        "when-without-condition",
        """when takes a condition on references; anything else is decided already.

Bad:  with when(True): …
Good: with when(evaluate.reports["quality"]["accuracy"] >= 0.8): …""",
    ),
    "D020": Mistake(
        "parameter-default-type",
        """A parameter's default has another type than the parameter. The service refuses it; True is no integer.

Bad:  pipeline.integer("Depth", default="5")
Good: pipeline.integer("Depth", default=5)""",
    ),
    "D021": Mistake(
        "parameter-choice-type",
        """A choice has another type than the parameter.

Bad:  pipeline.string("Mode", choices=["fast", 2])
Good: pipeline.string("Mode", choices=["fast", "2"])""",
    ),
    "D022": Mistake(
        "parameter-default-not-a-choice",
        """A parameter's default is not one of its choices, so a start without a value would be refused.

Bad:  pipeline.string("Mode", default="slow", choices=["fast"])
Good: pipeline.string("Mode", default="fast", choices=["fast"])""",
    ),
    "D023": Mistake(
        "environment-parameter-type",
        """mlops.toml gives a parameter of this pipeline a default of another type.

Bad:  parameters = { Depth = "5" }
Good: parameters = { Depth = 5 }""",
    ),
    "D030": Mistake(
        "step-outside-pipeline",
        """A step is made outside of any pipeline, so it would run nowhere.

Bad:  Training("Train", …)
Good: with Pipeline("churn"): Training("Train", …)""",
    ),
    "D031": Mistake(
        "unknown-attribute",
        """A step has no such attribute.

Bad:  train.artefact
Good: train.model""",
    ),
    "D032": Mistake(
        "unknown-name",
        """A step declares no output, report or metric of that name, so there will be nothing to read.

Bad:  Processing("Prepare", outputs=["train"]) and prepare.outputs["trian"]
Good: prepare.outputs["train"]""",
    ),
    "D040": Mistake(
        "unknown-argument",
        """A constructor has no such argument. What SageMaker's request has beyond them goes into arguments={…}.

Bad:  Training("Train", instnce="ml.m5.large", …)
Good: Training("Train", instance="ml.m5.large", …)""",
    ),
    "D041": Mistake(
        "missing-argument",
        """A required argument is missing.

Bad:  Training("Train")
Good: Training("Train", image=image.sklearn("1.2-1"), code="train.py")""",
    ),
    "D042": Mistake(
        "argument-type",
        """An argument has another type than the constructor takes; nothing is converted silently.

Bad:  Training("Train", count="2", …)
Good: Training("Train", count=2, …)""",
    ),
    "D050": Mistake(
        "unknown-image",
        """No image is published for that framework, version, region and instance type.

Bad:  image.sklearn("9.9")
Good: image.sklearn("1.2-1")""",
    ),
    "D051": Mistake(
        "image-not-pinned",
        """A framework's image is not pinned in mlops.lock, and the SageMaker SDK, which knows it, is not installed.

Bad:  a new image.sklearn(…) without `mlops lock`
Good: run `mlops lock` where 'mlops[sagemaker]' is installed, and commit mlops.lock""",
    ),
    "D052": Mistake(
        "missing-source",
        """A local file or folder is not there. It is looked for beside the pipeline file, then in the project's root,
never in the working directory.

Bad:  Training("Train", code="trian.py", …)
Good: Training("Train", code="train.py", …)""",
    ),
    "D053": Mistake(
        "unshippable-source",
        """A folder of code is empty, lies outside of the project, or holds what cannot be shipped: a link that leads
out of it, a pipe, a file that cannot be read.

Bad:  code="/etc/passwd"; code="src", with src/data -> /data
Good: code="src", with regular files""",
    ),
    "D060": Mistake(
        "reserved-input-name",
        """The script of a Processing step travels as the input `code`, so no other input can have that name.

Bad:  inputs={"code": "s3://bucket/code"}
Good: inputs={"library": "s3://bucket/code"}""",
    ),
    "D061": Mistake(
        "missing-entry",
        """code is a folder, and nothing says which file in it starts.

Bad:  Training("Train", code="train", …)
Good: Training("Train", code="train", entry="train.py", …)""",
    ),
    "D062": Mistake(
        "report-outside-outputs",
        """A report is a file in one of the step's outputs: <output>/<file>.

Bad:  outputs=["report"], reports={"quality": "evaluation.json"}
Good: outputs=["report"], reports={"quality": "report/evaluation.json"}""",
    ),
    "D063": Mistake(
        "unusable-name",
        """The name of an input, output or channel becomes part of a path and of a reference, so it has 1 to 64 letters,
digits, dots, dashes and underscores, and no two outputs share it.

Bad:  outputs=["../x"]
Good: outputs=["x"]""",
    ),
    "D064": Mistake(
        "one-or-the-other",
        """Two arguments are given that stand for each other, so one of them would be ignored.

Bad:  Model("Model", image=first, model=train.model, containers=[Container(first), Container(second)])
Good: Model("Model", containers=[Container(first, train.model), Container(second)])""",
    ),
    "D070": Mistake(
        "function-argument",
        """A step function is called with an argument that it cannot get: unknown, missing, of another type than its
annotation, or nothing that JSON has. A parameter annotated Path takes data.

Bad:  evaluate(model=train.model, floor="high")
Good: evaluate(model=train.model, floor=0.8)""",
    ),
    "D071": Mistake(
        "unshippable-function",
        """A step function travels as source, in its own file. A lambda, a closure, a function inside of another, or one
that needs the pipeline around it cannot.

Bad:  score = step(image=sk)(lambda data: 0.5)
Good: a `def` at the top of a module, with @step(image=sk) above it""",
    ),
    "D072": Mistake(
        "unannotated-function",
        """The annotations of a step function say how its arguments travel and what comes back, so none may be missing.

Bad:  def score(data): ...
Good: def score(data: Path) -> float: ...""",
    ),
    "D080": Mistake(
        "secret-name",
        """secret takes the name or the ARN of a secret in Secrets Manager. The value itself never stands in a pipeline.

Bad:  secret("hunter two!")
Good: secret("prod/db", key="password")""",
    ),
    "D081": Mistake(
        "secret-elsewhere",
        """A secret stands where nothing of ours could put its value in: the definition holds the name alone, and a few
lines that start the script resolve it. That goes for environment variables of steps with code.

Bad:  Training("Train", hyperparameters={"password": secret("prod/db")}, …)
Good: Training("Train", code="train.py", environment={"PASSWORD": secret("prod/db")}, …)""",
    ),
    "D090": Mistake(
        "not-of-the-iteration",
        """A ForEach selects by, and gives out, what the steps inside it yield, and nothing else.

Bad:  each.selected(train.model), where train stands outside of the block
Good: each.selected(fit.outputs["path"]), after each.select_max(fit.outputs["score"]) in the block""",
    ),
    "D091": Mistake(
        "lineage-entity-elsewhere",
        """An end of an association is an entity that another step makes. The service finds those of the same step only.

Bad:  Lineage("Record", entities=[model], associations=[Association(data, model)])
Good: Lineage("Record", entities=[data, model], associations=[Association(data, model)])""",
    ),
    "D092": Mistake(
        "training-rule",
        """A rule that watches a training has parameters within their bounds and a variable of the job's environment to
travel in.

Bad:  rules.Plateau("loss", values=0)
Good: rules.Plateau("loss", values=5)""",
    ),
    "D100": Mistake(
        "unreadable-file",
        """A pipeline file cannot be read.

Bad:  a file without the permission to read it, or with a null byte
Good: a text file in UTF-8""",
    ),
    "D101": Mistake(
        "syntax-error",
        """Python cannot parse the pipeline file, or a module that a step function imports and that is shipped with it.

Bad:  with Pipeline("churn" as pipeline:
Good: with Pipeline("churn") as pipeline:""",
    ),
    "D102": Mistake(
        "pipeline-file-raised",
        """Running the pipeline file raised an exception; the line is the innermost one of yours.

Bad:  int("five")
Good: int("5")""",
    ),
    "D103": Mistake(
        "no-pipeline",
        """A file was given as a pipeline file and declares none.

Bad:  mlops check train.py
Good: mlops check pipeline.py""",
    ),
    "D104": Mistake(
        "repeated-pipeline",
        """Two pipelines have the same name; in an account each would overwrite the other.

Bad:  Pipeline("churn") in two files
Good: Pipeline("churn-weekly") and Pipeline("churn-daily")""",
    ),
    "D106": Mistake(
        "sdk-side-effect",
        """A file that is written with the official SDK would change the account while it composes, e.g. make a Lambda
function or a pipeline. Here nothing is changed: what the file asks for has to be there when the pipeline runs.

Bad:  pipeline.upsert(role_arn=role) at the end of the file
Good: mlops upsert pipeline.py --env staging""",
        Severity.INFO,
    ),
    "D107": Mistake(
        "pipeline-file-never-ends",
        """Running the pipeline file took longer than `time_limit` of `[project]` in mlops.toml, 120 seconds without it.
The line is where it was then.

Bad:  while not ready(): pass
Good: what has to be waited for, in a step""",
    ),
    "D108": Mistake(
        "composed-with-the-clock",
        """A pipeline's name or definition holds the present time, or a name made up by chance, so the file makes
another pipeline each time that it is composed: each upsert finds something to do, and nothing is served from the cache.

Bad:  Pipeline(name="churn-" + time.strftime("%Y-%m-%d-%H-%M-%S"), …)
Good: Pipeline(name="churn", …), with ExecutionVariables.START_DATETIME where a place must differ""",
        Severity.WARNING,
    ),
    "D109": Mistake(
        "local-account-elsewhere",
        """What is compiled for an account names the local one, number 000000000000, its bucket or its role: copied from
a definition that was compiled without `--env`. Nothing of it is there.

Bad:  role="arn:aws:iam::000000000000:role/mlops-local" with --env staging
Good: no role: the environment's is taken""",
    ),
    "D110": Mistake(
        "job-at-once",
        """A processor, estimator, tuner or transformer of the official SDK has a session that starts jobs, so its call
starts one while the file runs, and gives nothing of which a step could be made.

Bad:  SKLearnProcessor(…, sagemaker_session=sagemaker.Session()).run(code="prepare.py")
Good: SKLearnProcessor(…, sagemaker_session=PipelineSession()).run(code="prepare.py")""",
    ),
    "D111": Mistake(
        "start-refused",
        """A driver starts its pipeline with a parameter or a step that the pipeline does not have, with a value that
the parameter does not take, or without one that it needs. The definition is right, and the start is refused.

Bad:  pipeline.start(parameters={"Cuont": 2})
Good: pipeline.start(parameters={"Count": 2})""",
        Severity.WARNING,
    ),
}
