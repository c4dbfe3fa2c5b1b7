"""How an execution runs on this machine, beyond what StartPipelineExecution can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Without ``use_cache`` every step runs, also where an earlier result would serve. ``interruptions`` are the
    seconds for which steps of managed spot training lose their instances once."""

    use_cache: bool = True
    interruptions: Mapping[str, float] = field(default_factory=dict)


AS_THERE = RunOptions()
"""As the service would run it."""
