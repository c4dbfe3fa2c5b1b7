"""The whole sentence on one example, as ``make demo`` runs it: the commands are those that a person would type."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "pipelines/breast_cancer/pipeline.py"
GROUP = "breast-cancer"


def mlops(*arguments: str, expect: int = 0, capture: bool = False) -> str:
    """Show a command, run it, and stop the demo where it ends otherwise than expected."""
    print(
        f"\n\033[1m$ mlops {' '.join(arguments)}\033[0m" if sys.stdout.isatty() else f"\n$ mlops {' '.join(arguments)}"
    )
    sys.stdout.flush()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "mlops", *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE if capture else None
    )
    if capture:
        print(done.stdout, end="")
    print(f"  [{time.monotonic() - began:.1f} s, exit {done.returncode}]")
    if done.returncode != expect:
        sys.exit(f"the demo expected exit {expect}")
    return done.stdout or ""


def main() -> None:
    began = time.monotonic()
    mlops("show", EXAMPLE)
    mlops("check", EXAMPLE)
    mlops("compile", EXAMPLE)
    mlops("run", EXAMPLE)
    listed = mlops("models", "list", GROUP, capture=True).splitlines()
    version = listed[1].split()[1]
    mlops("models", "show", GROUP, version)
    print("\nA version that nobody has approved is refused:")
    mlops("promote", GROUP, "--to", "local", "--version", version, expect=1)
    mlops("models", "approve", GROUP, version, "--reason", "looked at the metrics")
    mlops("promote", GROUP, "--to", "local")
    mlops("endpoints", "invoke", GROUP, "pipelines/breast_cancer/sample.csv", "--accept", "text/csv")
    mlops("endpoints", "show", GROUP)
    mlops("endpoints", "delete", GROUP)
    print(f"\nThe whole sentence took {time.monotonic() - began:.0f} s. Where the files are:")
    print(f"  {ROOT / 'build' / 'breast-cancer.json'}   the definition that SageMaker takes")
    print(f"  {ROOT / '.mlops' / 'objects'}   the local account's S3: models, reports, batch answers")
    print(f"  {ROOT / '.mlops' / 'executions'}   every step's folder and log")


if __name__ == "__main__":
    main()
