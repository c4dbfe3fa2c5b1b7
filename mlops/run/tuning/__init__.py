"""Hyperparameter tuning: what is tried next, and when to stop, in plain Python and without a task or an account.

A :class:`~mlops.run.tuning.space.Space` is what is searched, a :class:`~mlops.run.tuning.trial.Trial` what was tried,
a strategy (:mod:`~mlops.run.tuning.strategies`, one file each) names the next values of the trials before.
:mod:`~mlops.run.actions.tuning` starts the jobs and watches them. All that a strategy draws follows from the seed, the
number of the trial and the trials before, so that a search that was cut off goes on as it would have gone.
"""
