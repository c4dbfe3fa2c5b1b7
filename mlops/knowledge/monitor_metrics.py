"""What the monitors' own program measures, by the names that limits go by: ``tests/monitor/test_metric_names.py`` holds
them against it. Models' quality is by problem; what is a share lies between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping

_OF_TWO = ("recall", "precision", "accuracy", "f0_5", "f1", "f2")
_OF_MANY = (
    "accuracy", "weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2",
)  # fmt: skip
_CONSTANT = "_best_constant_classifier"
_RATES = ("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate")

QUALITY: Mapping[str, frozenset[str]] = {
    "Regression": frozenset({"mae", "mse", "rmse", "r2"}),
    "BinaryClassification": frozenset({*_OF_TWO, *(f"{name}{_CONSTANT}" for name in _OF_TWO), *_RATES, "auc"}),
    "MulticlassClassification": frozenset({*_OF_MANY, *(f"{name}{_CONSTANT}" for name in _OF_MANY)}),
}
SHARES = QUALITY["BinaryClassification"] | QUALITY["MulticlassClassification"]
BIAS = frozenset({
    "CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD",
    "AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE",
})  # fmt: skip
