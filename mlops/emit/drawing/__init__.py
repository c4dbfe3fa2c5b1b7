"""A pipeline's graph as a picture.

A checked pipeline comes in and the text of an SVG goes out; the same pipeline always gives the same bytes. ``graph``
says what is to be drawn, ``collapse`` makes less of it, ``layered`` with ``ranks``, ``crossings`` and ``columns``
places one set of boxes, ``layout`` places groups within groups by it, ``svg`` writes what was placed. Nothing here
knows what is done with the picture.

The method is Sugiyama's: layers, few crossings, coordinates (K. Sugiyama, S. Tagawa, M. Toda: Methods for visual
understanding of hierarchical system structures, IEEE Trans. SMC 11(2), 1981).
"""
