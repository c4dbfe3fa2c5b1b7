"""Notebook instances are declared beside pipelines: ``tests/declare/test_declared_notebooks.py`` has their rows."""

ELSEWHERE = frozenset({"X960", "X961", "X962", "X963", "X964", "X965", "X966", "X967"})
