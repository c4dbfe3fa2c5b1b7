"""Alarms are declared beside pipelines: ``test_environment_tables.py`` has their rows."""

ELSEWHERE = frozenset({"X835", "X836", "X837"})
