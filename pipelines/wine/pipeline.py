"""Which grower is a wine from? The smallest useful pipeline: train a model, put it into the registry."""

from mlops import Pipeline, RegisterModel, Training, image

with Pipeline("wine") as pipeline:
    sklearn = image.sklearn("1.2-1")
    train = Training("Train", image=sklearn, code="train", entry="train.py")
    RegisterModel("Register", group="wine", model=train.model, image=sklearn, inference_code="inference.py")
