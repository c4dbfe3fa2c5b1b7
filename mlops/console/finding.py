"""The pages that there are: each a folder of ``mlops.console.pages``, found by its place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mlops.console import pages
from mlops.console.page import Page
from mlops.ir.discovery import modules


@cache
def all_pages() -> Mapping[str, Page]:
    """By name. A page imports what it shows when it is asked, so that the console starts at once."""
    return {name: found.load().PAGE for name, found in modules(pages).items()}


@cache
def navigation() -> tuple[Page, ...]:
    listed = [page for page in all_pages().values() if page.place is not None]
    return tuple(sorted(listed, key=lambda page: (page.place, page.title)))
