"""Boards for OpenSearch Dashboards over the index of events: saved objects, as lines of JSON.

Boards (a file each in ``boards/``) say what is shown, as panels; kinds of visualizations (a file each in
``visualizations/``) say how Dashboards writes one. The same pipeline gives the same bytes: ids are digests of names.
"""
