"""Train a classifier, judge it, and register it where it is good enough."""

from mlops import Fail, Pipeline, Processing, RegisterModel, Training, image, join, when

with Pipeline("NAME") as pipeline:
    floor = pipeline.float("MinAccuracy", default=0.9)
    sklearn = image.sklearn("1.2-1")

    prepare = Processing("Prepare", code="prepare.py", image=sklearn, outputs=["train", "test"])
    train = Training(
        "Train", code="train", entry="train.py", image=sklearn, channels={"train": prepare.outputs["train"]}
    )
    evaluate = Processing(
        "Evaluate",
        code="evaluate.py",
        image=sklearn,
        inputs={"model": train.model, "test": prepare.outputs["test"]},
        outputs=["report"],
        reports={"quality": "report/evaluation.json"},
    )

    with when(evaluate.reports["quality"]["accuracy"] >= floor, name="GoodEnough") as good:
        RegisterModel(
            "Register",
            model=train.model,
            image=sklearn,
            inference_code="inference.py",
            group="NAME",
            metrics=evaluate.reports["quality"],
            sample="sample.csv",
        )
    with good.otherwise():
        Fail("NotGoodEnough", join("accuracy is below ", floor))
