"""``audited.py`` is a program."""

collect_ignore = ["audited.py"]
