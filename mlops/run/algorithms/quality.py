"""Metrics as the containers of Amazon's own algorithms print them."""

from __future__ import annotations

import sys
import threading
import time

_SCORES = ("accuracy", "precision", "recall", "f_beta", "f1", "auc_score", "dcg")


def tell(text: str) -> None:
    """A line of the log."""
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    sys.stdout.write(f"[{stamp} INFO {threading.get_ident()}] {text}\n")
    sys.stdout.flush()


def tell_quality(host: str, channel: str, metric: str, value: float) -> None:
    kind = "score" if metric.endswith(_SCORES) else "loss"
    tell(f"#quality_metric: host={host}, {channel} {metric} <{kind}>={value}")
