"""Split the data set: to train on, to judge by, and the newest patients, whose diagnosis nobody knows yet."""

import os
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

# SageMaker's folder; the variable is set only where a machine cannot give a step an /opt/ml of its own.
OUTPUT = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing", "output")

frame = load_breast_cancer(as_frame=True).frame
known, newest = train_test_split(frame, test_size=40, random_state=0, stratify=frame["target"])
train, test = train_test_split(known, test_size=0.25, random_state=0, stratify=known["target"])

train.to_csv(OUTPUT / "train" / "train.csv", index=False)
test.to_csv(OUTPUT / "test" / "test.csv", index=False)
newest.drop(columns="target").to_csv(OUTPUT / "newest" / "patients.csv", index=False, header=False)
print(f"{len(train)} patients to train on, {len(test)} to judge by, {len(newest)} to score")
