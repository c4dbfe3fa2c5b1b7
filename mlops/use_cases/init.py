"""A working project in a folder, or only the workflows that check, plan and upsert it, and promote its models.

Files that are there already are left alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from mlops.ir import Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import read_project
from mlops.project.files import write_text
from mlops.project.git import default_branch, repository
from mlops.use_cases.news import News, Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(News):
    """The file ``about`` is there: written now, or left alone."""

    kind: str = "file.placed"
    written: bool


SHIPPED_LOCK = "mlops.lock.template"
PLACEHOLDER = "NAME"
"""Stands for the pipeline's name in the template's paths and texts."""


def init(directory: Path, name: str | None, listener: Listener) -> str:
    """The pipeline's name, the folder's by default."""
    pipeline = name or re.sub(r"[^A-Za-z0-9]+", "-", directory.resolve().name).strip("-")
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", pipeline):
        raise UsageError(
            f"{pipeline!r} is no name for a pipeline", hint="give one with --name: letters, digits and dashes"
        )
    for relative, text in sorted(_files(_templates().joinpath("project"), ())):
        if relative == SHIPPED_LOCK:
            continue
        filled = _pinned(text.replace(PLACEHOLDER, pipeline))
        _write(directory, relative.replace(PLACEHOLDER, pipeline), filled, listener)
    _lock(directory, listener)
    return pipeline


def write_pipeline(directory: Path, pipeline: str) -> None:
    """The files of the project's pipeline, in silence, with its name in them."""
    template = _templates().joinpath("project", "pipelines", PLACEHOLDER)
    for relative, text in _files(template, ()):
        write_text(directory / relative.removesuffix(".template"), text.replace(PLACEHOLDER, pipeline))


@dataclass(frozen=True, slots=True)
class _Workflow:
    """What a template of CI is filled with, for all environments. ``name`` is the workflow's: two projects of a
    repository have one each."""

    ci: str
    name: str
    pipelines: str
    requirements: str
    branch: str
    folder: str

    def written(self, template: str, environments: Sequence[str]) -> str:
        """Lines between ``#: each`` and ``#: end`` are there once for each environment, in their order."""
        whole = _EACH.sub(
            lambda block: "".join(self._filled(block[1], environments, index) for index, _ in enumerate(environments)),
            template,
        )
        return self._filled(whole, environments, 0)

    def _filled(self, text: str, environments: Sequence[str], index: int) -> str:
        def suffix(environment: str) -> str:
            """Of a job's name: nothing where there is one environment."""
            return f"-{environment}" if len(environments) > 1 else ""

        environment = environments[index]
        values = {
            "PIPELINES": self.pipelines,
            "REQUIREMENTS": self.requirements,
            "ENVIRONMENT": environment,
            "BRANCH": self.branch,
            "WORKFLOW": self.name,
            "BEFORE": f"upsert{suffix(environments[index - 1])}" if index else "check",
            "FOLDER": self.folder,
            "BEHIND": f"promote{suffix(environments[index - 1])}" if index else "",
            "OPTIONS": " ".join(f"--env {name}" for name in environments),
        }
        # Lines that say nothing: of a job that has none before it, and of a project at the top of its repository.
        if not index:
            text = re.sub(r"^ *needs: \[?BEHIND\]?\n", "", text, flags=re.MULTILINE)
        if not self.folder:
            text = re.sub(r"^[ -]*cd FOLDER\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"\b(plan|comment|upsert|gates|promote)JOB\b", lambda found: found[1] + suffix(environment), text)
        text = re.sub(r"_VARIABLE\b", f"_{re.sub(r'[^A-Za-z0-9]', '_', environment).upper()}", text)
        return _pinned(re.sub(rf"\b({'|'.join(values)})\b", lambda found: values[found[1]], text))

    def environments_of(self, text: str, template: str) -> tuple[str, ...]:
        """Those that a file was written for; none where somebody has changed it since."""
        options = re.search(rf"`mlops init \. --ci {self.ci} ((?:--env [A-Za-z0-9_\-]+ ?)+)`", text)
        found = tuple(options[1].replace("--env ", "").split()) if options else ()
        return found if found and text == self.written(template, found) else ()


_EACH = re.compile(r"^ *(?:#|//): each\n(.*?)^ *(?:#|//): end\n", re.MULTILINE | re.DOTALL)


def init_ci(directory: Path, ci: str, environments: Sequence[str], listener: Listener) -> None:
    """Workflows of the service ``ci`` that upsert and promote to ``environments``, one after the other, in place of the
    one that only checks; to those that were written before, further ones are added. The services look for their files
    at the top of the repository only, and run there."""
    odd = [name for name in environments if not re.fullmatch(r"[A-Za-z0-9_\-]+", name)]
    if odd:
        raise UsageError(f"{odd[0]!r} is no name of an environment")
    root = directory.resolve()
    project = read_project(root)
    top = repository(root) or root
    inside = "" if root == top else root.relative_to(top).as_posix()
    workflow = _Workflow(
        ci,
        f"mlops-{re.sub(r'[^A-Za-z0-9]+', '-', inside)}" if inside else "mlops",
        _quoted(f"{inside}/{project.pipelines}" if inside else project.pipelines),
        _quoted(f"{inside}/{project.requirements_ci}" if inside else project.requirements_ci),
        (default_branch(top) if top != root or (top / ".git").exists() else None) or "main",
        _quoted(inside) if inside else "",
    )
    plain = dict(_files(_templates().joinpath("project"), ()))
    wanted = tuple(dict.fromkeys(environments))
    for relative, template in _files(_templates().joinpath("ci", ci), ()):
        name = re.sub(r"\bmlops(-promote)?\.yml$", rf"{workflow.name}\1.yml", relative)
        file = top / name
        present = file.read_text(encoding="utf-8") if file.exists() else ""
        earlier = workflow.environments_of(present, template)
        all_of_them = tuple(dict.fromkeys((*earlier, *wanted)))
        text = workflow.written(template, all_of_them)
        if present and (present == _pinned(plain.get(relative, "")) or (earlier and present != text)):
            file.unlink()
        elif present and not earlier:
            options = " ".join(f"--env {environment}" for environment in wanted)
            told = (
                f"it is not as `mlops init` writes it; remove it and give all environments, as {options}, to have that"
            )
            listener(Said(text=told))
        _write(top if inside else directory, name, text, listener)
    for environment in wanted:
        if environment not in {*project.environments, *project.incomplete}:
            listener(Said(text=f"mlops.toml has no [env.{environment}] yet: add it before the first merge"))
    if not (root / project.requirements_ci).is_file():
        told = "it brings mlops, and all that it needs, with their hashes; docs/ci.md tells how to make it"
        listener(Said(text=f"{project.requirements_ci} is not there yet: {told}"))
    listener(Said(text="docs/ci.md tells which three roles the workflows take on, and what they may do"))


def _quoted(path: str) -> str:
    """As a shell and YAML take it. Raises UsageError."""
    if not re.fullmatch(r"[\w.\-+@][\w.\-+@/ ]*", path):
        raise UsageError(f"{path!r} cannot stand in a workflow", hint="use letters, digits, spaces and . _ - + @")
    return f'"{path}"' if " " in path else path


@cache
def _pins() -> Mapping[str, str]:
    """Actions by the names that templates use for them."""
    found = tomllib.loads(_templates().joinpath("ci", "pins.toml").read_text(encoding="utf-8"))
    return {name: f"{pin['action']}@{pin['commit']} # {pin['tag']}" for name, pin in found.items()}


def _pinned(text: str) -> str:
    return re.sub(rf"\b({'|'.join(_pins())})\b", lambda found: _pins()[found[1]], text)


def _files(folder: Traversable, at: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                found.extend(_files(item, (*at, item.name)))
        else:
            found.append(("/".join((*at, item.name)), item.read_text(encoding="utf-8")))
    return found


def _write(directory: Path, relative: str, text: str, listener: Listener) -> None:
    # Names that tools would act upon inside the package lose a suffix here.
    file = directory / relative.removesuffix(".template")
    missing = not file.exists()
    if missing:
        write_text(file, text)
    listener(Placed(about=str(file), written=missing))


def _lock(directory: Path, listener: Listener) -> None:
    from mlops.check.pinning import pin_images
    from mlops.project import lock
    from mlops.project.images import ImageDataMissing
    from mlops.project.root import LOCK

    if (directory / LOCK).exists():
        return
    try:
        images, _ = pin_images(directory.resolve())
    except ImageDataMissing:
        # Without the SDK's data: what they said of the pipeline above when this was released.
        _write(directory, SHIPPED_LOCK, _templates().joinpath("project", SHIPPED_LOCK).read_text("utf-8"), listener)
        return
    lock.write(directory / LOCK, lock.render(images))
    listener(Placed(about=str(directory / LOCK), written=True))


def _templates() -> Traversable:
    return resources.files("mlops.use_cases").joinpath("templates")
