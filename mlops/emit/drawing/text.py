"""How wide a text is, without a typeface at hand."""

from __future__ import annotations

import unicodedata

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
"""All of them run narrower than the table below."""

_FIRST = " "
# Advance widths of DejaVu Sans in thousandths of the size, from the space on: the widest of the typefaces that a
# browser shows for a plain sans-serif, so that a text has room in whichever of them it is drawn.
_WIDTHS = (
    (318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337)
    + (636,) * 10
    + (337, 337, 838, 838, 838, 531, 1000)
    + (684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863)
    + (748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685)
    + (390, 337, 390, 838, 500, 500)
    + (613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974)
    + (634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525)
    + (636, 337, 636, 838)
)
_OTHER, _WIDE = 790, 1030


def width(text: str, size: float) -> float:
    """
    >>> width("iii", 10) < width("WWW", 10)
    True
    """
    return sum(_letter(letter) for letter in text) * size / 1000


def fitted(text: str, room: float, size: float) -> str:
    """The text, or its beginning and its end where it has no room: names often differ at their ends.

    >>> fitted("Train", 100, 10)
    'Train'
    >>> fitted("PreprocessTheDataOfTheYear2024", 100, 10)
    'Preproces…ar2024'
    """
    if width(text, size) <= room:
        return text
    left, right = room - width("…", size), 0.0
    head, tail = 0, len(text)
    # Three letters of the beginning for two of the end.
    while head < tail:
        from_head = head * 2 <= (len(text) - tail) * 3
        letter = text[head] if from_head else text[tail - 1]
        if right + width(letter, size) > left:
            break
        right += width(letter, size)
        head, tail = (head + 1, tail) if from_head else (head, tail - 1)
    return f"{text[:head]}…{text[tail:]}"


def _letter(letter: str) -> int:
    place = ord(letter) - ord(_FIRST)
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    if letter == "…":
        return 1000
    if letter == "·":
        return 318
    if unicodedata.combining(letter):
        return 0
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" else _OTHER
