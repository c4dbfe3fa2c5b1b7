"""Declared monitors, run: a window of what an endpoint captured, the job that looks at it, and what it found.

In goes the schedule that keeps a monitor's declaration in an account (:mod:`mlops.deploy.resources.monitor`); out come
the job's files in S3, metrics, and an event. What is looked for, and how, is the program's that the job runs
(``mlops/monitor``).
"""
