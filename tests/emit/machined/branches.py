"""A fork, a report that a condition reads, a branch with two steps beside each other, and one that fails."""

from mlops import Fail, Model, Pipeline, Processing, RegisterModel, image, join, when

with Pipeline("branches") as pipeline:
    accuracy = pipeline.float("Accuracy", default=0.95)
    floor = pipeline.float("Floor", default=0.9)
    sklearn = image.sklearn("1.2-1")

    prepare = Processing("Prepare", code="prepare.py", image=sklearn, outputs=["train"])
    evaluate = Processing(
        "Evaluate",
        code="evaluate.py",
        image=sklearn,
        inputs={"rows": prepare.outputs["train"]},
        environment={"ACCURACY": accuracy},
        outputs=["report"],
        reports={"quality": "report/evaluation.json"},
    )
    again = Processing(
        "Again", code="prepare.py", image=sklearn, inputs={"rows": prepare.outputs["train"]}, outputs=["train"]
    )

    with when(evaluate.reports["quality"]["scores"]["by class"][0]["accuracy"] >= floor, name="GoodEnough") as good:
        RegisterModel(
            "Register", group="branches", model="s3://mlops-local/m.tar.gz", image=sklearn, inference_code="serve.py"
        )
        Model("Serve", model="s3://mlops-local/m.tar.gz", image=sklearn, inference_code="serve.py")
    with good.otherwise():
        Fail("NotGoodEnough", join("accuracy is below ", floor))
