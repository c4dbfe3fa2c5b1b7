"""Of inference scripts and what they load: ``test_inference_scripts.py`` has the rows, and the files."""

ELSEWHERE = frozenset({"X974", "X975", "X976"})
