"""Built-in algorithms that run here, a module or package each by its name in ``mlops/knowledge/algorithms/``.

Their modules are loaded in the sandbox alone, by ``entry.py`` here or of ``serving``: ``train(job)`` is a training
container, and ``service(model_folder)`` what answers behind a model server. They import the standard library, numpy and
what the knowledge says that they need.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def implementation(name: str) -> ModuleType:
    """``name`` is the algorithm's, e.g. ``linear-learner``."""
    return import_module(f"{__name__}.{name.replace('-', '_')}")
