"""A step that fails while another runs beside it, and who waits for just that."""

from mlops import After, Pipeline, Processing, image

with Pipeline("handled") as pipeline:
    fails = pipeline.string("Fails", default="yes", choices=["yes", "no"])
    sklearn = image.sklearn("1.2-1")
    risky = Processing("Risky", code="prepare.py", image=sklearn, environment={"FAILS": fails}, outputs=["train"])
    Processing("Beside", code="prepare.py", image=sklearn, outputs=["train"])
    Processing("Goes", code="prepare.py", image=sklearn, inputs={"rows": risky.outputs["train"]}, outputs=["train"])
    Processing("Mends", code="prepare.py", image=sklearn, outputs=["train"], after=[After(risky, "Failed")])
