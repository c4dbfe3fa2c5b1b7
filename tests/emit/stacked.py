"""The examples as templates and configurations of one environment. ``python -m tests.emit.stacked`` writes the goldens
again; read the difference before you commit it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

ROOT = Path(__file__).resolve().parents[2]
STACKS = Path(__file__).parent / "stacks"
CONFIGURATIONS = Path(__file__).parent / "configurations"
EXAMPLES = {
    **{folder.name: f"pipelines/{folder.name}/pipeline.py" for folder in sorted((ROOT / "pipelines").iterdir())},
    "served": "served.py",
    "beside": "beside.py",
}
ENVIRONMENT = "production"
FOUND = modules(targets)


def project(to: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".mlops")
    shutil.copytree(ROOT / "pipelines", to / "pipelines", ignore=ignored)
    for file in (ROOT / "mlops.lock", STACKS / "mlops.toml", STACKS / "served.py", STACKS / "beside.py"):
        shutil.copy(file, to)
    return to


def emitted(file: Path, target: str = "cloudformation", chosen: str = "yaml") -> str:
    return emit(FOUND[target], str(file), ENVIRONMENT, unheard, chosen).text


def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        there = project(Path(folder))
        for name, file in EXAMPLES.items():
            (STACKS / f"{name}.yaml").write_text(emitted(there / file))
            (CONFIGURATIONS / f"{name}.tf.json").write_text(emitted(there / file, "terraform"))


if __name__ == "__main__":
    write()
