"""The pipeline of ``sdk_jobs.py`` in our words."""

from __future__ import annotations

from mlops import (
    After,
    Athena,
    CategoricalRange,
    Channel,
    Checkpoint,
    ContinuousRange,
    DataCapture,
    Fail,
    Input,
    IntegerRange,
    Maximize,
    Network,
    Output,
    Pipeline,
    Processing,
    Retry,
    TensorBoard,
    Training,
    TrainingJob,
    Transform,
    Tuning,
    join,
    json_file,
    when,
)

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:4"
TEAM = {"team": "growth"}

channels = {
    "train": Channel(
        "s3://acme-data/train.manifest",
        kind="AugmentedManifestFile",
        distribution="ShardedByS3Key",
        attributes=["source-ref", "label"],
        content_type="application/x-recordio",
        compression="None",
        record_wrapper="RecordIO",
        mode="Pipe",
        shuffle_seed=7,
    )
}

with Pipeline("jobs") as pipeline:
    count = pipeline.integer("Count", default=2)
    day = pipeline.string("Day", default="2026-01-31")
    scorer = pipeline.string("Scorer", default="scorer")
    prepare = Processing(
        "Prepare",
        image=IMAGE,
        command=["/usr/bin/prepare"],
        args=["--day", day],
        inputs={
            "images": Input(
                "s3://acme-data/images.manifest",
                kind="ManifestFile",
                mode="Pipe",
                distribution="ShardedByS3Key",
                compression="Gzip",
            ),
            "visits": Athena(
                "SELECT * FROM visits",
                database="web",
                workgroup="ml",
                to="s3://acme-data/visits/",
                compression="SNAPPY",
                kms_key="alias/athena",
            ),
        },
        outputs={
            "report": Output(
                path="/opt/ml/processing/report", to=join("s3://acme-data", day, on="/"), upload="Continuous"
            ),
        },
        reports={"quality": "report/quality.json"},
        environment={"DAY": day},
        count=count,
        volume=100,
        max_runtime=7200,
        network=Network(["subnet-0a1b2c3d"], ["sg-0a1b2c3d"], isolated=False, encrypted=True),
        kms_key="alias/out",
        volume_kms_key="alias/disk",
        tags=TEAM,
        cache="P30D",
        retries=[
            Retry(["Step.SERVICE_FAULT", "Step.THROTTLING"], attempts=5, interval=1, backoff=2.0),
            Retry("SageMaker.CAPACITY_ERROR", expire_after=90, interval=60, backoff=1.5),
        ],
    )
    train = Training(
        "Train",
        image=IMAGE,
        channels=channels,
        hyperparameters={"depth": 5, "objective": "logloss"},
        metrics={"auc": "auc=([0-9.]+)"},
        environment={"DAY": day},
        count=count,
        volume=50,
        spot=True,
        max_wait=7200,
        checkpoints=Checkpoint("s3://acme-ml/checkpoints/", path="/opt/ml/checkpoints"),
        to="s3://acme-ml/models/",
        compression="NONE",
        tensorboard=TensorBoard("s3://acme-ml/tensorboard/", path="/opt/ml/output/tensorboard"),
        network=Network(["subnet-0a1b2c3d"], ["sg-0a1b2c3d"], isolated=True, encrypted=True),
        kms_key="alias/out",
        volume_kms_key="alias/disk",
        tags=TEAM,
        display_name="Fit",
        description="Fits",
        after=[prepare],
        cache=False,
    )
    tune = Tuning(
        "Tune",
        job=TrainingJob(
            image=IMAGE,
            channels=channels,
            hyperparameters={"objective": "logloss"},
            metrics={"auc": "auc=([0-9.]+)"},
        ),
        ranges={
            "depth": IntegerRange(2, 10),
            "eta": ContinuousRange(0.01, 0.3, scale="Logarithmic"),
            "booster": CategoricalRange(["gbtree", "dart"]),
        },
        objective=Maximize("auc"),
        strategy="Random",
        max_jobs=20,
        max_parallel=4,
        early_stopping="Auto",
        seed=3,
        to="s3://acme-ml/tuned",
    )
    Transform(
        "Score",
        model=scorer,
        data="s3://acme-data/newest.manifest",
        kind="ManifestFile",
        compression="Gzip",
        accept="text/csv",
        strategy="SingleRecord",
        input_filter="$[1:]",
        output_filter="$[0,-1]",
        join_source="Input",
        max_payload=6,
        max_concurrent=2,
        timeout=60,
        attempts=1,
        environment={"DAY": day},
        data_capture=DataCapture("s3://acme-ml/captured/", inference_ids=True),
        to="s3://acme-ml/scores",
        kms_key="alias/out",
        volume_kms_key="alias/disk",
        tags=TEAM,
        after=[After(train, "Any"), After(tune, "Failed")],
    )
    most = json_file(join("s3://acme-data", day, "limits.json", on="/"))["most"]
    with when((prepare.reports["quality"]["folds"][0]["auc"] > 0.5) & (most > 1), name="Good"):
        Fail("Best", tune.best_model)
