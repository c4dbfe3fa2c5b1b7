"""Fit a logistic regression and leave it, with the code that serves it, in the model folder."""

import os
import shutil
from pathlib import Path

import joblib
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

model_folder = Path(os.environ["SM_MODEL_DIR"])
features, target = load_wine(return_X_y=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)
print(f"accuracy on the wines it has seen: {model.score(features, target):.4f}")

joblib.dump(model, model_folder / "model.joblib")
(model_folder / "code").mkdir(exist_ok=True)
shutil.copy(Path(__file__).with_name("inference.py"), model_folder / "code")
