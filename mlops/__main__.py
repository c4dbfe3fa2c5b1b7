"""``python -m mlops``."""

from mlops.cli import run

run()
