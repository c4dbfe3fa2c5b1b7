"""Judge the model by patients that it has not seen."""

import json
import os
import tarfile
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

PROCESSING = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing")

with tarfile.open(PROCESSING / "input" / "model" / "model.tar.gz") as archive:
    model = joblib.load(archive.extractfile("model.joblib"))
frame = pd.read_csv(PROCESSING / "input" / "test" / "test.csv")
features, target = frame.drop(columns="target").to_numpy(), frame["target"]

report = {
    "accuracy": accuracy_score(target, model.predict(features)),
    "auc": roc_auc_score(target, model.predict_proba(features)[:, 1]),
}
(PROCESSING / "output" / "report" / "evaluation.json").write_text(json.dumps(report, indent=2))
print(f"accuracy {report['accuracy']:.4f}, AUC {report['auc']:.4f}")
