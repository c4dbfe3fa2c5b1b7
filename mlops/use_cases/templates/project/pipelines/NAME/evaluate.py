"""Judge the model by data that it has not seen."""

import json
import os
import tarfile
from pathlib import Path

import joblib
import pandas as pd

PROCESSING = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing")

with tarfile.open(PROCESSING / "input" / "model" / "model.tar.gz") as archive:
    model = joblib.load(archive.extractfile("model.joblib"))
frame = pd.read_csv(PROCESSING / "input" / "test" / "test.csv")
report = {"accuracy": model.score(frame.drop(columns="target").to_numpy(), frame["target"])}
(PROCESSING / "output" / "report" / "evaluation.json").write_text(json.dumps(report))
print(report)
