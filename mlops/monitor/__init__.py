"""What Model Monitor's and Clarify's containers compute of data and models: statistics, constraints, what violates.

A program of its own: its files are a Processing job's code, on this machine and in an account, so it imports nothing of
the package but itself, and of others numpy. ``entry.py`` starts it by its path. In goes what those containers are given
(variables of the environment, the job's own description, an ``analysis_config.json``), out come the files that they
write. It asks nobody but the model that it is to look at, or in ``by_itself`` an account, and knows neither pipelines
nor where a baseline comes from.

``quality``   statistics and constraints of data, metrics of a model, and both against a baseline
``clarify``   bias and feature attributions, and both against a baseline
``watch``     what an endpoint captured in a window: the job of a declared monitor
"""
