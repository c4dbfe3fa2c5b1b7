"""Fit the candidate that the hyperparameter ``kind`` names."""

import argparse
import os
import shutil
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CANDIDATES = {
    "linear": make_pipeline(StandardScaler(), RidgeCV()),
    "forest": RandomForestRegressor(n_estimators=100, random_state=0),
}

parser = argparse.ArgumentParser()
parser.add_argument("--kind", choices=CANDIDATES, required=True)
parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
options = parser.parse_args()

frame = pd.read_csv(options.train / "train.csv")
model = CANDIDATES[options.kind].fit(frame.drop(columns="target").to_numpy(), frame["target"].to_numpy())

joblib.dump(model, options.model_dir / "model.joblib")
code = options.model_dir / "code"
code.mkdir(exist_ok=True)
shutil.copy(Path(__file__).with_name("inference.py"), code)
