"""Split the data set into a part to train on and a part to judge by."""

import os
from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

OUTPUT = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing", "output")

train, test = train_test_split(load_diabetes(as_frame=True, scaled=False).frame, test_size=0.25, random_state=0)
train.to_csv(OUTPUT / "train" / "train.csv", index=False)
test.to_csv(OUTPUT / "test" / "test.csv", index=False)
