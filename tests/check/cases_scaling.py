"""Scaling is declared beside pipelines: ``tests/declare/test_declared_scaling.py`` has its rows."""

ELSEWHERE = frozenset({"X990", "X991", "X992"})
