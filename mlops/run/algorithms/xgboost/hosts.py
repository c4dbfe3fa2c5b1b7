"""Several hosts that train one model: the library's own collective, whose tracker is on the first host."""

from __future__ import annotations

import os
import socket
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from xgboost import collective
from xgboost.tracker import RabitTracker

from mlops.run.algorithms.job import TrainingJob

_PORTS = range(20_000, 30_000)
_PATIENCE = 300
"""Seconds for which the hosts wait for each other."""


@contextmanager
def together(job: TrainingJob) -> Iterator[None]:
    """Within, what the library computes is of the rows of all hosts."""
    if len(job.hosts) == 1:
        yield
        return
    # Jobs at the same time may share a network, and hosts no files: each finds the port by the job's name.
    name = os.environ.get("TRAINING_JOB_NAME", "")
    port = _PORTS[zlib.crc32(name.encode()) % len(_PORTS)]
    address = _address(job.hosts[0])
    tracker = None
    if job.is_first:
        tracker = RabitTracker(len(job.hosts), host_ip=address, port=port, sortby="task", timeout=_PATIENCE)
        tracker.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of each time that the tracker was not there yet
        collective.init(
            dmlc_communicator="rabit",
            dmlc_tracker_uri=address,
            dmlc_tracker_port=port,
            dmlc_task_id=f"{job.hosts.index(job.host):04}",
            dmlc_timeout=_PATIENCE,
            dmlc_retry=60,
        )
    yield
    # Not behind a fault: that would wait for the others, which are ended when this host has failed.
    collective.finalize()
    if tracker is not None:
        tracker.wait_for()


def _address(host: str) -> str:
    """Where there are no namespaces names of hosts do not resolve."""
    try:
        return socket.gethostbyname(host)
    except OSError:
        return "127.0.0.1"
