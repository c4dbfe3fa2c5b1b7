"""Executions of pipelines: start, follow, compare, repeat, record."""
