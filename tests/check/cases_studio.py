"""Studio is declared beside pipelines: ``tests/declare/test_declared_studio.py`` has its rows."""

ELSEWHERE = frozenset({"X993", "X994", "X995", "X996", "X997"})
