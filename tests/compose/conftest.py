"""What files of other authors look like is composed by the tests, never imported."""

collect_ignore = ["hostile.py", "drivers"]
