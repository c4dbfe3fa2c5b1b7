"""The programs are read by mypy and never run."""

collect_ignore = ["right.py", "wrong.py"]
