"""Where the lines, boxes and words of a picture are, read back from it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from mlops.emit.drawing.text import width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Area:
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, point: tuple[float, float], inside: float = 0.5) -> bool:
        """Within it, its border left out."""
        x, y = point
        return self.left + inside < x < self.right - inside and self.top + inside < y < self.bottom - inside

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def lies_in(self, other: Area) -> bool:
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Picture:
    boxes: list[Area]
    texts: list[Area]
    labels: list[Area]
    frames: list[Area]
    lines: list[Points]
    whole: Area


def drawn(text: str) -> Picture:
    root = ElementTree.fromstring(text)
    moved = root.find(f"{SVG}g")
    assert moved is not None
    shift = float(moved.attrib["transform"].split("(")[1].split()[0])
    sizes = [float(root.attrib[name]) - shift for name in ("width", "height")]
    rects = [(rect.attrib["class"], area_of(rect)) for rect in root.iter(f"{SVG}rect") if "x" in rect.attrib]
    texts = [(node.attrib["class"], words(node)) for node in root.iter(f"{SVG}text")]
    lines = [[*points(path.attrib["d"])] for path in root.iter(f"{SVG}path") if path.attrib["class"] == "line"]
    return Picture(
        [area for kind, area in rects if kind == "box"],
        [area for kind, area in texts if kind != "label"],
        [area for kind, area in texts if kind == "label"],
        [area for kind, area in rects if kind == "frame"],
        lines,
        Area(-shift, -shift, *sizes),
    )


def area_of(rect: ElementTree.Element) -> Area:
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return Area(x, y, x + width, y + height)


def words(text: ElementTree.Element) -> Area:
    size, left, base = (float(text.attrib.get(name, 13)) for name in ("font-size", "x", "y"))
    wide = width(text.text or "", size)
    if text.attrib.get("text-anchor") == "middle":
        left -= wide / 2
    return Area(left, base - size, left + wide, base + 0.2 * size)


def points(path: str) -> Iterator[tuple[float, float]]:
    """Close together along M, C and V."""
    x = y = 0.0
    for letter, rest in re.findall(r"([A-Z])([^A-Z]*)", path):
        numbers = [float(number) for number in rest.split()]
        match letter:
            case "M":
                x, y = numbers
            case "V":
                yield from ((x, y + (numbers[0] - y) * t / 40) for t in range(41))
                y = numbers[0]
            case "C":
                a, b, c, d, end_x, end_y = numbers
                for step in range(41):
                    t = step / 40
                    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                    yield (
                        sum(w * v for w, v in zip(weights, (x, a, c, end_x), strict=True)),
                        sum(w * v for w, v in zip(weights, (y, b, d, end_y), strict=True)),
                    )
                x, y = end_x, end_y
            case _:
                raise AssertionError(f"a line has {letter}")


def need_clear(text: str) -> Picture:
    picture = drawn(text)
    solid = [*picture.boxes, *picture.labels]
    for area, beside in combinations(solid, 2):
        assert not area.meets(beside), (area, beside)
    for one, two in combinations(picture.frames, 2):
        assert not one.meets(two) or one.lies_in(two) or two.lies_in(one), "frames lie over each other"
    for frame in picture.frames:
        for box in picture.boxes:
            assert box.lies_in(frame) or not box.meets(frame), "a box lies on a frame"
    # A box's name and kind are written right behind it.
    for number, words_ in enumerate(picture.texts):
        assert words_.lies_in(picture.boxes[number // 2]), "a text is wider than its box"
    for line in picture.lines:
        around = Area(*(pick(point[at] for point in line) for pick in (min, max) for at in (0, 1)))
        assert around.lies_in(picture.whole)
        for area in solid:
            if area.meets(around):
                assert not any(area.holds(point) for point in line), "a line passes a box or a label"
    assert all(area.lies_in(picture.whole) for area in [*solid, *picture.frames])
    return picture
