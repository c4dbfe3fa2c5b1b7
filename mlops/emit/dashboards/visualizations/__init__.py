"""Kinds of visualizations, a file each: ``VISUALIZATION`` says how OpenSearch Dashboards writes one."""
