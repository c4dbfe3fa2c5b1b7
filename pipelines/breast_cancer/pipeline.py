"""Is a tumour malignant? Prepare, train, judge, register what is good enough, and score the newest patients."""

from mlops import Fail, Model, Pipeline, Processing, RegisterModel, Training, Transform, image, join, when

with Pipeline("breast-cancer", description="Is a tumour malignant?") as pipeline:
    floor = pipeline.float("MinAccuracy", default=0.9)
    trees = pipeline.integer("Trees", default=100)
    sklearn = image.sklearn("1.2-1")

    prepare = Processing("Prepare", code="prepare.py", image=sklearn, outputs=["train", "test", "newest"])
    train = Training(
        "Train",
        code="train",
        entry="train.py",
        image=sklearn,
        channels={"train": prepare.outputs["train"]},
        hyperparameters={"trees": trees},
        metrics={"train:accuracy": r"train accuracy: ([0-9.]+)"},
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
            group="breast-cancer",
            metrics=evaluate.reports["quality"],
            sample="sample.csv",
        )
        model = Model("Model", model=train.model, image=sklearn, inference_code="inference.py")
        Transform("Score", model=model.model_name, data=prepare.outputs["newest"], accept="text/csv")
    with good.otherwise():
        Fail("NotGoodEnough", join("accuracy is below ", floor))
