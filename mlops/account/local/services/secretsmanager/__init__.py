"""Secrets Manager: secrets with their versions and stages. Values lie in files of their owner's alone."""
