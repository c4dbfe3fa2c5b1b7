"""Roles are declared beside pipelines: ``tests/declare/test_declared_storage.py`` has their rows."""

ELSEWHERE = frozenset({"X968", "X969"})
