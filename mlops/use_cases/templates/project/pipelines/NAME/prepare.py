"""Split the data into a part to train on and a part to judge by."""

import os
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

# SageMaker's folder; the variable is set only where a machine cannot give a step an /opt/ml of its own.
OUTPUT = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing", "output")

train, test = train_test_split(load_iris(as_frame=True).frame, test_size=0.25, random_state=0)
train.to_csv(OUTPUT / "train" / "train.csv", index=False)
test.to_csv(OUTPUT / "test" / "test.csv", index=False)
