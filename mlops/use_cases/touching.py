"""Only those pipelines that a change concerns."""

from __future__ import annotations

from mlops.check.sources import Opened
from mlops.check.touched import touched
from mlops.ir import Listener
from mlops.project.git import changed_files
from mlops.use_cases.news import Said


def only_touched(opened: Opened, since: str, listener: Listener) -> Opened:
    """What the changes since the Git commit ``since`` touch; how much that is, is told."""
    found = touched(opened, changed_files(opened.root, since))
    many = f"{len(found.pipelines)} of {len(opened.pipelines)} pipelines"
    if opened.resources:
        many += f" and {len(found.resources)} of {len(opened.resources)} files with resources"
    listener(Said(text=f"{many} are touched by the changes since {since}"))
    return found
