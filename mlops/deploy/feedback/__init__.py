"""From what is seen back to what is done: an alarm or a violation begins a loop, which goes from stage to stage.

:mod:`deciding` is pure: signals, what was done before and the time come in, stages or a reason to do nothing go out.
What does a stage is :mod:`mlops.use_cases.feedback_running`. The journal lies in the account, so that whoever goes on
finds where it stands.
"""
