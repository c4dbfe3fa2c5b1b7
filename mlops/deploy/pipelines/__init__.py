"""Pipelines of an account: what is there, what is wanted, what has to be done, and the doing of it."""
