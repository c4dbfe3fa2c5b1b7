"""Scripts of lifecycle configurations, as the service is told them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path

_SHELL = re.compile(r"#!\s*/(?:usr/)?bin/(?:env\s+)?(?:ba)?sh\b.*")
_EVERY_SECONDS = 300
_SOON_SECONDS = 10
_INSTALLED = """\
# {what}
(
set -e
mkdir -p /usr/local/libexec
cat > /usr/local/libexec/mlops_{name}.py <<'END_OF_PROGRAM'
{program}END_OF_PROGRAM
{before}cat > /etc/systemd/system/{unit}.service <<'END_OF_UNIT'
[Service]
Type=oneshot
{service}ExecStart=/usr/bin/python3 /usr/local/libexec/mlops_{name}.py {argument}
END_OF_UNIT
cat > /etc/systemd/system/{unit}.timer <<'END_OF_UNIT'
[Timer]
OnActiveSec={first}
OnUnitActiveSec={every}
END_OF_UNIT
systemctl daemon-reload
systemctl restart {unit}.timer
) || exit 1
"""
"""By a timer of systemd: Amazon Linux 2023 has no cron."""
RESTORE = """\
# Has this instance take over what lies in S3, once, soon after its start.
touch /home/ec2-user/SageMaker/.mlops-restore || exit 1
"""
"""For the script that runs when an instance is made: its disk is new."""
_SYNCED = re.compile(r"^ExecStart=\S+ \S+/mlops_sync\.py s3://(\S+)$", re.MULTILINE)


def encoded(script: str) -> str:
    """
    >>> encoded("#!/bin/bash\\n")
    'IyEvYmluL2Jhc2gK'
    """
    return base64.b64encode(script.encode()).decode()


def stopping_when_idle(minutes: int) -> str:
    """For the script of a start: the instance stops itself."""
    return _installed(
        "idle_stop",
        f"Stops this instance when nothing was done in it for {minutes} minutes.",
        f"{60 * minutes}",
        before="touch /var/lib/mlops-idle-stop\n",
    )


def syncing(prefix: str) -> str:
    """For the script of a start: files go below ``prefix``, which ends with no slash."""
    what = f"Takes the files of this instance to {prefix}."
    return _installed("sync", what, prefix, service="User=ec2-user\n", first=_SOON_SECONDS)


def _installed(
    name: str, what: str, argument: str, *, before: str = "", service: str = "", first: int = _EVERY_SECONDS
) -> str:
    program = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return _INSTALLED.format(
        name=name,
        what=what,
        argument=argument,
        before=before,
        service=service,
        first=first,
        program=program,
        unit=f"mlops-{name.replace('_', '-')}",
        every=_EVERY_SECONDS,
    )


def synced_to(script: str) -> str | None:
    """``BUCKET/PREFIX`` that a script has files taken to.

    >>> synced_to(syncing("s3://acme/notebooks")), synced_to(stopping_when_idle(60))
    ('acme/notebooks', None)
    """
    found = _SYNCED.search(script)
    return found[1] if found is not None else None


def beginning_with(parts: Sequence[str], script: str | None) -> str | None:
    """A script that does ``parts``, and goes on with ``script``; None where that is no script of a shell."""
    first, _, rest = (script or "#!/bin/bash\n").partition("\n")
    if not first.startswith("#!"):
        first, rest = "#!/bin/bash", script or ""
    elif _SHELL.fullmatch(first.rstrip()) is None:
        return None
    return f"{first}\n{''.join(parts)}{rest}"
