"""Is a tumour benign? Trained on what is known, and on what the endpoint saw since then, once its labels are there."""

from mlops import Input, Pipeline, Processing, RegisterModel, Training, image

with Pipeline("tumours") as pipeline:
    base = pipeline.string("Base", default="s3://mlops-local/tumours/base/")
    captures = pipeline.string("Captures", default="s3://mlops-local/tumours/nothing/")
    labels = pipeline.string("Labels", default="s3://mlops-local/tumours/nothing/")
    since = pipeline.string("Since", default="1970-01-01T00:00:00Z")
    until = pipeline.string("Until", default="2100-01-01T00:00:00Z")
    sklearn = image.sklearn("1.2-1")

    prepare = Processing(
        "Prepare",
        code="steps/prepare.py",
        image=sklearn,
        inputs={"base": Input(base), "captures": Input(captures), "labels": Input(labels)},
        outputs=["train"],
        args=[since, until],
    )
    train = Training(
        "Train",
        code="train",
        entry="train.py",
        image=sklearn,
        channels={"train": prepare.outputs["train"]},
        metrics={"loss": r"loss=(\S+)"},
    )
    evaluate = Processing(
        "Evaluate",
        code="steps/evaluate.py",
        image=sklearn,
        inputs={"model": train.model, "judged": Input("s3://mlops-local/tumours/judged/")},
        outputs=["report"],
        reports={"quality": "report/evaluation.json"},
    )
    RegisterModel(
        "Register",
        model=train.model,
        image=sklearn,
        inference_code="inference.py",
        group="tumours",
        metrics=evaluate.reports["quality"],
        sample="sample.csv",
        approval="Approved",
    )
