"""Rows of rules on built-in algorithms; more of them, for each algorithm, are in ``algorithm_faults.py``."""

from __future__ import annotations

from rule_cases import WARNING, Case

BLAZING = "685385470294.dkr.ecr.eu-west-1.amazonaws.com/blazingtext:1"
SKIPGRAM = {
    "Segments:AlgorithmSpecification/TrainingImage": BLAZING,
    "Segments:HyperParameters": {"mode": "skipgram", "epochs": "5"},
}
SPOT = {"Segments:EnableManagedSpotTraining": True}

CASES = [
    Case(
        "a hyperparameter of another mode",
        "X858",
        {**SKIPGRAM, "Segments:HyperParameters/word_ngrams": "3"},
        "Segments:HyperParameters/word_ngrams",
        {**SKIPGRAM, "Segments:HyperParameters/word_ngrams": "2"},
        WARNING,
    ),
    Case(
        "hours on spot instances without checkpoints",
        "X859",
        {**SKIPGRAM, **SPOT, "Segments:StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}},
        "Segments:StoppingCondition/MaxWaitTimeInSeconds",
        {**SKIPGRAM, **SPOT, "Segments:StoppingCondition": {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 3600}},
        WARNING,
    ),
]

WORDS = frozenset({"X858", "X859"})
