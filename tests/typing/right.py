"""The same programs, mended: mypy has nothing to say."""

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
    when,
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


def test_split() -> None:
    assert split(Path("raw"), 0.5).rows == 0


with Pipeline("right", seed=7) as pipeline:
    pipeline.seed = pipeline.integer("Seed", default=42)
    share = pipeline.float("Share", default=0.5)
    count = pipeline.integer("Count", default=1)
    data = pipeline.string("Data", default="s3://acme-data/")
    prepare = Processing("Prepare", code="p.py", image=sklearn, outputs={"x": Output(upload="Continuous")})
    train = Training(
        "Train",
        code="t.py",
        image=sklearn,
        channels={"x": prepare.outputs["x"], "y": Channel("s3://acme-data/y/")},
        groups={"g": InstanceGroup("ml.m5.large", count)},
        after=["Prepare", After(prepare, "Failed")],
        retries=[Retry("Step.THROTTLING", attempts=3)],
        network=Network(["subnet-1"], ["sg-1"], isolated=True),
        environment={"TOKEN": secret("prod/token"), "SHARE": share},
        spot=True,
        tags={"a": data},
    )
    model = Model("Model", model=train.model, image=sklearn)
    parts = split(data, share)
    split(raw=prepare.outputs["x"], share=0.5)
    split("s3://acme-data/", count)
    score(parts.rows, note=data, deep=parts.train)
    score(count)
    Training("Again", code="t.py", image=sklearn, channels={"x": parts.train}, count=count)
    job = TrainingJob(image=sklearn, code="t.py")
    tune = Tuning("Tune", job=job, ranges={"a": IntegerRange(1, count)}, objective=Maximize("m"), max_jobs=4)
    Transform("Score", model=model.model_name, data=prepare.outputs["x"])
    with when(tune.top(0).objective >= share):
        RegisterModel("Register", image=sklearn, model=tune.best_model, group="g")
    with when(parts.rows > 3):
        Fail("Many", "too many rows")
    with when(train.metric("m") > 0.5):
        Fail("Bad", join("the share is ", share))
