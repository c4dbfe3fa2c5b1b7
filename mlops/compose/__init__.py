"""Runs a pipeline file that is written with the official SDK, in a process of its own, and answers the AWS calls that
the SDK makes while it composes."""
