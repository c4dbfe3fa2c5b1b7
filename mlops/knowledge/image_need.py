"""What a step's command needs of packages: those of its image, and those that a requirements.txt asks for. A virtual
environment that is built for a need is found by its id, whoever asks."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict

from mlops.ir.dataclass import dataclass
from mlops.knowledge.image_packages import contents
from mlops.knowledge.requirements import lines

SERVES_WITH = (3, 10)
"""The oldest Python that our server of handlers runs with."""

_OF_FILES = re.compile(r"(-r|-c|-e|--requirement|--constraint|--editable)\b|\.{0,2}/|file:|[^@]*@\s*file:")


@dataclass(frozen=True, slots=True)
class Need:
    """``title`` is the image for people. Without ``packages`` nobody knows what the image brings: then what this Python
    has stands for it. ``serves``: handlers answer in it, and the image's own Python is too old for them."""

    title: str
    python: str
    packages: tuple[str, ...]
    beside: tuple[str, ...]
    requirements: str
    serves: bool

    @property
    def id(self) -> str:
        text = json.dumps([self.python, self.packages, self.beside, sorted(lines(self.requirements)), self.serves])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def asked(self) -> list[str]:
        """Lines of requirements.txt."""
        return lines(self.requirements)

    def written(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Need:
        found = json.loads(text)
        return cls(**{**found, "packages": tuple(found["packages"]), "beside": tuple(found["beside"])})


def need(image: object, requirements: str = "", *, serves: bool = False) -> Need | None:
    """None where this Python has all that is known to be needed: of an image of one's own without requirements.

    >>> found = need("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3")
    >>> found.title, found.python
    ('scikit-learn 1.2-1', '3.9')
    >>> need("111122223333.dkr.ecr.us-east-1.amazonaws.com/churn:1") is None
    True
    """
    known = contents(image) if isinstance(image, str) else None
    if known is not None:
        older = tuple(map(int, known.python.split("."))) < SERVES_WITH
        return Need(known.title, known.python, known.packages, known.beside, requirements, serves and older)
    if not lines(requirements):
        return None
    return Need("an image of one's own", "", (), (), requirements, serves=False)


def of_files(requirements: str) -> list[str]:
    """Lines that name files beside requirements.txt, which are in no environment's address.

    >>> of_files("pandas==2.2\\n-r more.txt\\n./wheel.whl\\n--no-index\\n")
    ['-r more.txt', './wheel.whl']
    """
    return [line for line in lines(requirements) if _OF_FILES.match(line)]
