"""Variables' names: those of the steps and parameters, as a person would write them in Python."""

from __future__ import annotations

import builtins
import keyword
import re

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


class Names:
    """Gives each thing a name that nothing else in the program has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken) | set(dir(builtins)) | set(keyword.kwlist) | set(keyword.softkwlist)

    def variable(self, text: str, otherwise: str) -> str:
        """
        >>> Names(set()).variable("PreprocessAbaloneData", "step"), Names({"train"}).variable("Train", "step")
        ('preprocess_abalone_data', 'train_step')
        """
        plain = snake(text) or otherwise
        name = plain if plain not in self._taken else f"{plain}_{otherwise}"
        count = 2
        while name in self._taken:
            name, count = f"{plain}_{count}", count + 1
        self._taken.add(name)
        return name


def snake(text: str) -> str:
    """
    >>> snake("XGBoostTrain-2"), snake("model_approval_status"), snake("2nd try"), snake("MinR2")
    ('xg_boost_train_2', 'model_approval_status', 'n2_nd_try', 'min_r2')
    """
    words: list[str] = []
    for word in _WORD.findall(text):
        # A digit belongs to the letter before it: R2, v3.
        if words and word.isdigit() and len(words[-1]) == 1 and words[-1].isalpha():
            words[-1] += word
        else:
            words.append(word.lower())
    name = "_".join(words)
    return f"n{name}" if name[:1].isdigit() else name


def constant(text: str) -> str:
    return snake(text).upper()
