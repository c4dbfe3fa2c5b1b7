"""The processes of model servers, as the endpoint's loop has them."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from mlops.account.local.process.serving.happenings import ServerId
from mlops.account.local.process.serving.processes import Process
from mlops.run.sandbox import Box, probe, start
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.serving.model_server import ModelServer


@pytest.mark.parametrize("asks", ["roots", "terminate", "ended"])
def test_the_loop_hears_of_an_end_that_somebody_else_was_told_first(asks: str, tmp_path: Path) -> None:
    """And what it listens to is nobody else's: a client that was given the number of a closed descriptor had no
    answer."""
    (tmp_path / "ml").mkdir()
    (tmp_path / "scratch").mkdir()
    box = Box(tmp_path / "ml", tmp_path / "scratch", probe(), network=True)
    boxed = start(["/bin/true"], box, environment={}, log=tmp_path / "log")
    server = ModelServer(boxed, 0, tmp_path / "log", tmp_path / "scratch")
    process = Process.of(ServerId(1, "A", 0), 1, InferencePipeline([server]), tmp_path / "log")
    assert boxed.wait(30) == 0
    getattr(process, asks)()
    next_of_all = os.dup(0)
    waiting = select.poll()
    for descriptor in process.descriptors:
        waiting.register(descriptor, select.POLLIN)
    assert [descriptor for descriptor, _ in waiting.poll(10_000)] == list(process.descriptors)
    assert next_of_all not in process.descriptors and process.ended() is not None
    process.release()
    os.close(next_of_all)
