"""Metrics and alarms: what was put, and what endpoints' request records say."""
