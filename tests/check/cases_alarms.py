"""Of what is declared beside pipelines: ``test_environment_tables.py`` and ``test_declared_rules.py`` have the rows."""

ELSEWHERE = frozenset({"X835", "X836", "X837", "X838", "X839", "X842", "X843", "X844"})
