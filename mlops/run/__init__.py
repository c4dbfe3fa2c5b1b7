"""Run a checked definition on this machine: every step a process with its own ``/opt/ml``, no Docker.

Takes an :class:`mlops.ir.Checked` and the ports of :mod:`mlops.run.ports`; knows no account, no boto3 and no store.
"""
