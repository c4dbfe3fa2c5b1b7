"""Fit a random forest and leave it, with the code that serves it, in the model folder."""

import argparse
import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--trees", type=int, default=100)
parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
options = parser.parse_args()

frame = pd.read_csv(options.train / "train.csv")
features, target = frame.drop(columns="target").to_numpy(), frame["target"].to_numpy()
model = RandomForestClassifier(n_estimators=options.trees, random_state=0).fit(features, target)
print(f"train accuracy: {model.score(features, target):.4f}")

joblib.dump(model, options.model_dir / "model.joblib")
code = options.model_dir / "code"
code.mkdir(exist_ok=True)
shutil.copy(Path(__file__).with_name("inference.py"), code)
