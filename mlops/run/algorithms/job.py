"""What a training container of an algorithm is given, and the two ways in which it fails."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast


class UserFault(Exception):
    """What the user can mend; in the words of the algorithm's container where they are known."""


class AlgorithmFault(Exception):
    """Training itself broke down."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """``channels`` is inputdataconfig.json, ``version`` the image's tag."""

    base: Path
    version: str
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Mapping[str, str]]
    hosts: tuple[str, ...]
    host: str

    @classmethod
    def read(cls, version: str) -> TrainingJob:
        """Of the folder that is ``/opt/ml``."""
        base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
        resources = _config(base, "resourceconfig")
        return cls(
            base,
            version,
            _config(base, "hyperparameters"),
            _config(base, "inputdataconfig"),
            tuple(resources["hosts"]),
            resources["current_host"],
        )

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output_data(self) -> Path:
        return self.base / "output" / "data"

    @property
    def is_first(self) -> bool:
        return self.host == self.hosts[0]

    @property
    def release(self) -> tuple[int, int] | None:
        """The first two numbers of the version; None for ``1`` and ``latest``."""
        match = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(match[1]), int(match[2])) if match else None

    @property
    def checkpoints(self) -> Path | None:
        config = _config(self.base, "checkpointconfig")
        return Path(config["LocalPath"]) if config else None

    def channel(self, name: str) -> Path | None:
        return self.base / "input" / "data" / name if name in self.channels else None


def _config(base: Path, name: str) -> dict[str, Any]:
    file = base / "input" / "config" / f"{name}.json"
    return cast("dict[str, Any]", json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
