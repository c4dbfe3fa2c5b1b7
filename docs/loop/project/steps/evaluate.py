"""Against tumours whose labels are beyond doubt."""

import json
import tarfile
from pathlib import Path

import numpy as np

FOLDER = Path("/opt/ml/processing")
with tarfile.open(FOLDER / "input" / "model" / "model.tar.gz") as archive:
    archive.extractall(FOLDER / "input" / "model", filter="data")
told = np.load(FOLDER / "input" / "model" / "model.npz")
rows = np.vstack([np.loadtxt(file, delimiter=",") for file in sorted((FOLDER / "input" / "judged").glob("*.csv"))])
hidden = np.tanh((rows[:, :-1] - told["mean"]) / told["deviation"] @ told["first"] + told["bias"])
answers = hidden @ told["second"] + told["last"] > 0
accuracy = float(np.mean(answers == (rows[:, -1] == 1)))
out = FOLDER / "output" / "report"
out.mkdir(parents=True, exist_ok=True)
(out / "evaluation.json").write_text(json.dumps({"accuracy": accuracy}))
print(f"accuracy={accuracy:.4f} of {len(rows)}")
