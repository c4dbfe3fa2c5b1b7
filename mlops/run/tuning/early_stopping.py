"""The median rule: a job is stopped that is worse than the jobs before it have been at the same point.

Developer guide, automatic-model-tuning-early-stopping: after each epoch the objective is held against the median of the
running averages of all previous training jobs up to the same epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from mlops.run.tuning.trial import Trial

_LEAST_BEFORE = 3
"""So many jobs have to have come as far. The guide has no number; the median of one or two says nothing."""


def is_hopeless(trial: Trial, trials: Sequence[Trial]) -> bool:
    """
    >>> before = [Trial(number, 0, {}, costs=[5.0, 3.0]) for number in (1, 2, 3)]
    >>> is_hopeless(Trial(4, 0, {}, costs=[6.0, 4.5]), before), is_hopeless(Trial(4, 0, {}, costs=[6.0, 3.9]), before)
    (True, False)
    >>> is_hopeless(Trial(3, 0, {}, costs=[9.0]), before[:2])
    False
    """
    epoch = len(trial.costs)
    before = [
        fmean(other.costs[:epoch]) for other in trials if other.number < trial.number and len(other.costs) >= epoch
    ]
    return epoch > 0 and len(before) >= _LEAST_BEFORE and trial.costs[-1] > median(before)
