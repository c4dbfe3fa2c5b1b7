"""A pytest plugin for projects with pipelines: run a pipeline or one step in an empty local account, pin a
definition.

:mod:`~mlops.testing.plugin` is what pytest loads in every project of the environment, so it imports nothing of ours
until a fixture is asked for.
"""

from __future__ import annotations

from mlops.testing.stub import Stub

__all__ = ["Stub"]
