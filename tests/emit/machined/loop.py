"""A loop over what whoever starts it says, whose best iteration goes on."""

from mlops import ForEach, Pipeline, Processing, image

with Pipeline("loop") as pipeline:
    accuracies = pipeline.string("Accuracies", default='[{"accuracy": "0.7"}, {"accuracy": "0.9"}]')
    sklearn = image.sklearn("1.2-1")
    with ForEach("Each", accuracies, concurrency=2) as each:
        judge = Processing(
            "Judge",
            code="evaluate.py",
            image=sklearn,
            environment={"ACCURACY": each.item["accuracy"]},
            outputs=["report"],
        )
    Processing("Then", code="prepare.py", image=sklearn, outputs=["train"], after=[each])
