"""Fit a model and leave it, with the code that serves it, in the model folder."""

import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

model_folder = Path(os.environ["SM_MODEL_DIR"])
frame = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAIN"], "train.csv"))
model = RandomForestClassifier(random_state=0).fit(frame.drop(columns="target").to_numpy(), frame["target"])

joblib.dump(model, model_folder / "model.joblib")
(model_folder / "code").mkdir(exist_ok=True)
shutil.copy(Path(__file__).with_name("inference.py"), model_folder / "code")
