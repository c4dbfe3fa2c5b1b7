"""The Python that a step's command runs with: the virtual environment that was built for its image and what a
requirements.txt asks for, or the one that runs mlops."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

from mlops.knowledge.image_need import need
from mlops.knowledge.requirements import FILE, NO_NETWORK, lacking, lines, named, without_network
from mlops.run.outcome import StepFailed
from mlops.run.ports import Interpreter
from mlops.run.requirements import check_requirements
from mlops.run.work import Work

_LONGEST = 1024 * 1024


def interpreter_for(work: Work, image: object, requirements: str = "", *, isolated: bool = False) -> Interpreter | None:
    """None is this very Python. ``requirements`` is the text of what the image would install, which it cannot in a job
    that is ``isolated`` from the network: then what the image has by itself has to do. Raises StepFailed where nothing
    that is here has it."""
    wanted, images = need(image, "" if isolated else requirements), work.ports.images
    if isolated:
        found = images.find(wanted) if images is not None and wanted is not None else None
        there = None if found is None else named(found.installed)
        pins = {} if wanted is None else named(wanted.packages)
        if failing := without_network(lines(requirements), pins, there):
            told = ", ".join(f"{line} ({state})" for line, state in failing.items())
            raise StepFailed(f"requirements.txt asks for {told}; {NO_NETWORK}")
        return found
    if wanted is None or images is None:
        check_requirements(requirements, work)
        return None
    found = images.find(wanted)
    if found is not None:
        work.note(f"Python {found.version} with the packages of {wanted.title}, built by `mlops local images build`")
        return found
    if lacking(wanted.asked):
        images.want(wanted)
    check_requirements(requirements, work)
    return None


def text_of(folder: Path, name: str = FILE, archive: str | None = None) -> str:
    """That of a file in a folder, or in an archive there; empty where there is none. It is read before the step may
    write there."""
    file = folder / name
    if file.is_file():
        return file.read_bytes()[:_LONGEST].decode("utf-8", errors="replace")
    return text_in(folder / archive, name) if archive is not None else ""


def text_in(archive: Path, name: str) -> str:
    """That of a file in an archive; empty where there is none."""
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                if member.isreg() and member.name.removeprefix("./") == name:
                    opened = packed.extractfile(member)
                    return opened.read(_LONGEST).decode("utf-8", errors="replace") if opened is not None else ""
    except (OSError, EOFError, tarfile.TarError, zlib.error):
        return ""
    return ""
