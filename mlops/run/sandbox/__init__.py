"""Commands with their own ``/opt/ml``.

Where the system lets us, each command gets its own mount and process namespaces: a private ``/opt/ml`` and ``/tmp``,
the rest of the file system read-only, our state and AWS's files hidden, and no process that outlives it. Where only
bubblewrap is let do that, it does. Elsewhere (macOS, hardened kernels) the same folders are handed over by name:
``/opt/ml`` in the command, its arguments and its environment is rewritten, and ``SAGEMAKER_BASE_DIR`` says where it is.
Which of the three is found out by really doing it.

The runner's side: ``commands`` makes an ``order`` and has ``launching`` send it; ``boxed`` is the handle, ``meters``
measure, ``probing`` finds the mode. The other side, in the launcher's process: ``launcher``, ``keeper``, ``programs``,
the modes ``namespaces``, ``bubblewrap`` and ``folders``, with ``mounts`` over ``kernel``.
"""

from mlops.run.sandbox.box import OPT_ML, Box, Isolation
from mlops.run.sandbox.boxed import Boxed, wait_for_an_end
from mlops.run.sandbox.commands import start, start_engine
from mlops.run.sandbox.probing import FORCE_VARIABLE, need_asked, probe

__all__ = [
    "FORCE_VARIABLE",
    "OPT_ML",
    "Box",
    "Boxed",
    "Isolation",
    "need_asked",
    "probe",
    "start",
    "start_engine",
    "wait_for_an_end",
]
