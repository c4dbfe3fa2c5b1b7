"""Boards in an OpenSearch Dashboards."""
