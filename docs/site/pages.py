"""A hook of mkdocs: pages of the site that are no files of ``docs/``, and links that lead out of it.

The site begins with README.md. A source file that a document links becomes a page of its own, so that no link leaves
the site; the reference has a page for each group of public names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import mlops

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
_AT_THE_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
PROGRAMS = ("mlops.client", "mlops.program", "mlops.testing.plugin")
_OPTIONS = {"mlops.declare.steps.base.Step": "    options: { members: false }\n"}
"""What all steps have is for those who write a type of step."""
_LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".csv": "text", ".yml": "yaml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, name in _AT_THE_ROOT.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    for name, content in reference():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    for source in sorted(set(_sources())):
        files.append(File.generated(config, f"source/{source}.md", content=_source_page(source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """With links as they are between pages."""
    name = page.file.src_uri
    home = next((source for source, at in _AT_THE_ROOT.items() if at == name), f"docs/{name}")
    if name.startswith(("reference/", "source/")):
        return markdown

    def moved(found: re.Match[str]) -> str:
        place = _place(found[2], home)
        return found[0] if place is None else f"{found[1]}{_page_of(place)}{found[3]}"

    return _LINK.sub(moved, markdown)


def _place(link: str, document: str) -> str | None:
    """Where in the repository a link of a document leads; None where that is nowhere."""
    place = os.path.normpath(Path(document).parent / link)
    return place if (ROOT / place).exists() else None


def _page_of(place: str) -> str:
    """Documents lie side by side, so that no link between them goes up."""
    if place in _AT_THE_ROOT:
        return _AT_THE_ROOT[place]
    return place.removeprefix("docs/") if place.startswith("docs/") else f"source/{place}.md"


def _sources() -> Iterator[str]:
    """Those that documents link."""
    for document in (*_AT_THE_ROOT, *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")))):
        for found in _LINK.finditer((ROOT / document).read_text(encoding="utf-8")):
            place = _place(found[2], document)
            if place is not None and not place.startswith("docs/") and place not in _AT_THE_ROOT:
                yield place


def _source_page(place: str) -> str:
    at = ROOT / place
    head = f"---\ntitle: {place}\nsearch:\n  exclude: true\n---\n\n# `{place}`\n\n"
    if at.is_dir():
        return head + "\n".join(f"- `{file.name}`" for file in sorted(at.iterdir()) if not file.name.startswith("_"))
    return f"{head}````{_LANGUAGES.get(at.suffix, 'text')}\n{at.read_text(encoding='utf-8').rstrip()}\n````\n"


def reference() -> Iterator[tuple[str, str]]:
    """The pages, and of each what it has: what pipeline files import, and what programs do."""
    homes = {name: home if home.endswith(f".{name}") else f"{home}.{name}" for name, home in mlops._HOMES.items()}
    steps = {name: home for name, home in homes.items() if ".steps." in home}
    modules = {name: home for name, home in homes.items() if home.count(".") == 2 and mlops._HOMES[name] == home}
    rest = {name: home for name, home in homes.items() if name not in (*steps, *modules)}
    declared = {name: f"{home}.{name}" for name, home in resource_homes().items()}
    yield "pipeline", _page("Pipelines and values", "`from mlops import …` gives each of these.", rest.values())
    yield "steps", _page("Steps", "`from mlops import …` gives each of these.", steps.values())
    yield "modules", _page("Modules", "`from mlops import …` gives each of these.", modules.values())
    yield "resources", _page("Resources", "`from mlops import resources` gives all of these.", declared.values())
    yield "programs", _page("In programs", "For what asks an endpoint, and for tests of pipelines.", PROGRAMS)


def resource_homes() -> dict[str, str]:
    return dict(mlops.resources._HOMES)


def _page(title: str, lead: str, objects: Iterable[str]) -> str:
    by_name = sorted(objects, key=lambda home: home.rpartition(".")[2].lower())
    return f"# {title}\n\n{lead}\n" + "".join(f"\n::: {home}\n{_OPTIONS.get(home, '')}" for home in by_name)
