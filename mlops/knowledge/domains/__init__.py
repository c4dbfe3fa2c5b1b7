"""Domains of OpenSearch Service."""
