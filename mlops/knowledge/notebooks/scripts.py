"""Scripts of lifecycle configurations, as the service is told them."""

from __future__ import annotations

import base64
import re
from pathlib import Path

_SHELL = re.compile(r"#!\s*/(?:usr/)?bin/(?:env\s+)?(?:ba)?sh\b.*")
_PROGRAM = Path(__file__).with_name("idle_stop.py")
_EVERY_SECONDS = 300
_INSTALLED = """\
# Stops this instance when nothing was done in it for {minutes} minutes.
(
set -e
mkdir -p /usr/local/libexec
cat > /usr/local/libexec/mlops_idle_stop.py <<'END_OF_PROGRAM'
{program}END_OF_PROGRAM
touch /var/lib/mlops-idle-stop
cat > /etc/systemd/system/mlops-idle-stop.service <<'END_OF_UNIT'
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /usr/local/libexec/mlops_idle_stop.py {seconds}
END_OF_UNIT
cat > /etc/systemd/system/mlops-idle-stop.timer <<'END_OF_UNIT'
[Timer]
OnActiveSec={every}
OnUnitActiveSec={every}
END_OF_UNIT
systemctl daemon-reload
systemctl restart mlops-idle-stop.timer
) || exit 1
"""


def encoded(script: str) -> str:
    """
    >>> encoded("#!/bin/bash\\n")
    'IyEvYmluL2Jhc2gK'
    """
    return base64.b64encode(script.encode()).decode()


def with_idle_stop(script: str | None, minutes: int) -> str | None:
    """A script for each start that has the instance stop itself, and goes on with ``script``; None where that is no
    script of a shell."""
    first, _, rest = (script or "#!/bin/bash\n").partition("\n")
    if not first.startswith("#!"):
        first, rest = "#!/bin/bash", script or ""
    elif _SHELL.fullmatch(first.rstrip()) is None:
        return None
    preset = _INSTALLED.format(
        minutes=minutes, seconds=60 * minutes, every=_EVERY_SECONDS, program=_PROGRAM.read_text(encoding="utf-8")
    )
    return f"{first}\n{preset}{rest}"
