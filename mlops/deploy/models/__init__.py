"""Versions of models, and the decision on them."""
