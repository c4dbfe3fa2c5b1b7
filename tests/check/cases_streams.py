"""Streams are declared beside pipelines: ``tests/deploy/test_declared_streams.py`` has its rows."""

ELSEWHERE = frozenset({"X998", "X999"})
