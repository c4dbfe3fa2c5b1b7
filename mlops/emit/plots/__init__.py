"""Plots as SVG: values come in, and the text of a picture goes out that carries no script and no reference.

``scales`` chooses round marks, ``chart`` draws panels of lines, steps, areas, dots and bars, ``kinds`` makes the panels
that people expect of what they know, ``gantt`` draws what ran when. Pages, verdicts and documents ask it.
"""
