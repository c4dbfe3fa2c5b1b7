"""How far will diabetes progress in a year? Two candidates are trained side by side; the better one is registered."""

from mlops import ModelReference, Pipeline, Processing, RegisterModel, Training, image, when

with Pipeline("diabetes", description="Two candidates, the better one registered") as pipeline:
    sklearn = image.sklearn("1.2-1")
    prepare = Processing("Prepare", code="prepare.py", image=sklearn, outputs=["train", "test"])

    def candidate(name: str, kind: str) -> Training:
        return Training(
            name,
            code="train",
            entry="train.py",
            image=sklearn,
            channels={"train": prepare.outputs["train"]},
            hyperparameters={"kind": kind},
        )

    linear = candidate("TrainLinear", "linear")
    forest = candidate("TrainForest", "forest")
    compare = Processing(
        "Compare",
        code="compare.py",
        image=sklearn,
        inputs={"linear": linear.model, "forest": forest.model, "test": prepare.outputs["test"]},
        outputs=["report"],
        reports={"errors": "report/errors.json"},
    )
    errors = compare.reports["errors"]

    def register(name: str, model: ModelReference) -> RegisterModel:
        return RegisterModel(
            name,
            model=model,
            image=sklearn,
            inference_code="inference.py",
            group="diabetes",
            metrics=errors,
            sample="sample.csv",
        )

    with when(errors["linear"]["mae"] <= errors["forest"]["mae"], name="LinearIsBetter") as linear_is_better:
        register("RegisterLinear", linear.model)
    with linear_is_better.otherwise():
        register("RegisterForest", forest.model)
