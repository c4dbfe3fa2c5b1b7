"""Somebody is asked, and what they say decides."""

from mlops import Callback, Fail, Pipeline, Processing, image, when

with Pipeline("asks") as pipeline:
    sklearn = image.sklearn("1.2-1")
    ask = Callback(
        "Ask",
        queue="https://sqs.us-east-1.amazonaws.com/000000000000/approvals",
        inputs={"question": "Go on?"},
        outputs={"approved": bool, "score": float},
    )
    with when(ask.outputs["approved"] == True, name="Says") as says:  # noqa: E712 - a reference
        Processing("Goes", code="prepare.py", image=sklearn, outputs=["train"])
    with says.otherwise():
        Fail("Refused", "nobody said yes")
