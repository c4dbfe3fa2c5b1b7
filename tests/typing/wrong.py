"""Programs that a type checker refuses, each line with the code that mypy gives. Nothing here is ever run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mlops import (
    After,
    Channel,
    Fail,
    InstanceGroup,
    IntegerRange,
    Maximize,
    Model,
    Network,
    Output,
    Pipeline,
    Processing,
    RegisterModel,
    Retry,
    Training,
    TrainingJob,
    Transform,
    Tuning,
    image,
    join,
    secret,
    step,
)

sklearn = image.sklearn("1.2-1")


class Split(NamedTuple):
    train: Path
    rows: int


@step(image=sklearn)
def split(raw: Path, share: float) -> Split:
    return Split(raw, int(share))


@step(image=sklearn)
def score(rows: int, note: str = "", deep: Path | None = None, fast: bool = False) -> float:
    return rows / 2


with Pipeline("wrong") as pipeline:
    share = pipeline.float("Share", default=0.5)
    count = pipeline.integer("Count", default=1)
    data = pipeline.string("Data", default="s3://acme-data/")
    prepare = Processing("Prepare", code="p.py", image=sklearn, outputs=["x"])
    train = Training("Train", code="t.py", image=sklearn, channels={"x": prepare.outputs["x"]}, count=count)
    model = Model("Model", model=train.model, image=sklearn)
    parts = split(data, share)
    job = TrainingJob(image=sklearn, code="t.py")
    tune = Tuning("Tune", job=job, ranges={"a": IntegerRange(1, count)}, objective=Maximize("m"), max_jobs=4)

    Pipeline("seeded", seed="42")  # E: arg-type
    pipeline.seed = share  # E: assignment
    Training("A", image=sklearn, channels={"x": train.model})  # E: dict-item
    Training("A", image=sklearn, channels={"x": Channel(share)})  # E: arg-type
    Training("A", image=sklearn, count=share)  # E: arg-type
    Training("A", image=sklearn, count="2")  # E: arg-type
    Training("A", image=sklearn, spot="yes")  # E: arg-type
    Training("A", image=sklearn, instance=5)  # E: arg-type
    Training("A", image=sklearn, instnce="ml.m5.large")  # E: call-arg
    Training("A", sklearn)  # E: call-arg
    Training("A", image=sklearn, compression="ZIP")  # E: arg-type
    Training("A", image=sklearn, after=train)  # E: arg-type
    Training("A", image=sklearn, retries="3")  # E: arg-type
    Training("A", image=sklearn, network="vpc")  # E: arg-type
    Training("A", image=sklearn, tags=["a"])  # E: arg-type
    Training("A", image=sklearn, groups={"g": InstanceGroup("ml.m5.large", share)})  # E: arg-type
    Processing("A", image=sklearn, inputs={"x": model})  # E: dict-item
    Processing("A", image=sklearn, outputs={"x": Output(upload="Never")})  # E: arg-type
    Processing("A", image=sklearn, role=train.metric)  # E: arg-type
    Model("A", image=sklearn, model=prepare.outputs["x"])  # E: arg-type
    Transform("A", model=train.model, data=data)  # E: arg-type
    Transform("A", model=model.model_name, data=train.model)  # E: arg-type
    RegisterModel("A", image=sklearn, model=train.model)  # E: call-arg
    RegisterModel("A", image=sklearn, model=prepare.outputs["x"], group="g")  # E: arg-type
    RegisterModel("A", image=sklearn, model=tune, group="g")  # E: arg-type
    Tuning("A", job=job, objective="m")  # E: arg-type
    Tuning("A", job=train)  # E: arg-type
    After(train, "Finished")  # E: arg-type
    Retry("Step.TIMEOUT")  # E: arg-type
    Network(subnets="subnet-1", isolated="yes")  # E: arg-type
    secret(5)  # E: arg-type
    join("a", train)  # E: arg-type
    Fail("A", message=3)  # E: arg-type
    split(data)  # E: call-overload
    split(data, data)  # E: call-overload
    split(count, share)  # E: call-overload
    split(raw=train, share=share)  # E: call-overload
    score(share)  # E: call-overload
    score(rows=parts.train)  # E: call-overload
    score(count, note=share)  # E: call-overload
    score(count, deep=model)  # E: call-overload
    score(count, fast=count)  # E: call-overload
    score(count, slow=True)  # E: call-overload
    print(parts.trian)  # E: attr-defined
    print(train.artefact)  # E: attr-defined
    print(tune.best)  # E: attr-defined
    tune.top("best")  # E: arg-type
