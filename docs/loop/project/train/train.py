"""A small network of one hidden layer: ten features in, the probability of a benign tumour out."""

import os
import shutil
from pathlib import Path

import numpy as np

rows = np.loadtxt(Path(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",", ndmin=2)
known, label = rows[:, :-1], rows[:, -1]
mean, deviation = known.mean(axis=0), known.std(axis=0)
given = (known - mean) / deviation
draw = np.random.default_rng(1)
first, bias = draw.normal(0, 0.5, (given.shape[1], 12)), np.zeros(12)
second, last = draw.normal(0, 0.5, 12), 0.0
for step in range(1500):
    hidden = np.tanh(given @ first + bias)
    answer = 1 / (1 + np.exp(-(hidden @ second + last)))
    wrong = (answer - label) / len(label)
    back = np.outer(wrong, second) * (1 - hidden**2)
    first -= 1.0 * (given.T @ back + 1e-4 * first)
    bias -= 1.0 * back.sum(axis=0)
    second -= 1.0 * (hidden.T @ wrong + 1e-4 * second)
    last -= 1.0 * wrong.sum()
    if step % 300 == 0:
        loss = -np.mean(np.where(label == 1, np.log(answer + 1e-9), np.log(1 - answer + 1e-9)))
        print(f"loss={loss:.4f}", flush=True)
to = Path(os.environ["SM_MODEL_DIR"])
(to / "code").mkdir(exist_ok=True)
shutil.copy(Path(__file__).with_name("inference.py"), to / "code")
np.savez(
    to / "model.npz",
    mean=mean, deviation=deviation, first=first, bias=bias, second=second, last=last,
)  # fmt: skip
