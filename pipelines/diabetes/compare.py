"""Judge both candidates by the same unseen patients."""

import json
import os
import tarfile
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score

PROCESSING = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing")

frame = pd.read_csv(PROCESSING / "input" / "test" / "test.csv")
features, target = frame.drop(columns="target").to_numpy(), frame["target"]

errors = {}
for name in ("linear", "forest"):
    with tarfile.open(PROCESSING / "input" / name / "model.tar.gz") as archive:
        predicted = joblib.load(archive.extractfile("model.joblib")).predict(features)
    errors[name] = {"mae": mean_absolute_error(target, predicted), "r2": r2_score(target, predicted)}
    print(f"{name}: mean absolute error {errors[name]['mae']:.2f}")
(PROCESSING / "output" / "report" / "errors.json").write_text(json.dumps(errors, indent=2))
