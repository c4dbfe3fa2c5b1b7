"""An endpoint while it is watched: a live table on a terminal, a line for each look elsewhere, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlops.cli.printing import is_animated, printable
from mlops.ir.duration import said

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops.deploy.endpoints.watching import Look, ShiftLook, VariantLook


@contextmanager
def shown(*, as_json: bool) -> Iterator[Callable[[Look], None]]:
    """Shows each look, on standard output."""
    if as_json:
        yield _line_of_json
    elif not is_animated(sys.stdout):
        yield lambda look: click.echo(line(look))
    else:
        from rich.console import Console
        from rich.live import Live

        with Live(console=Console(), auto_refresh=False) as live:
            yield lambda look: live.update(picture(look), refresh=True)


def _line_of_json(look: Look) -> None:
    told = asdict(look)
    for moment in ("at", "until"):
        told[moment] = told[moment].isoformat(timespec="milliseconds")
    click.echo(json.dumps(told, ensure_ascii=False))
    sys.stdout.flush()


def line(look: Look) -> str:
    """In one line."""
    parts = [f"{look.at:%H:%M:%S} {look.endpoint} {look.status}"]
    if look.shift is not None and not look.shift.is_over:
        parts.append(_shift(look.shift))
    parts.extend(
        " ".join((item.variant, *(cell for cell in _cells(item, look.period) if cell))) for item in look.variants
    )
    return printable(" | ".join(parts))


def picture(look: Look) -> RenderableType:
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("VARIANT", "SHARE", "INSTANCES", "REQUESTS", "ERRORS", "P99"):
        rows.add_column(title, justify="left" if title == "VARIANT" else "right")
    for item in look.variants:
        rows.add_row(escape(printable(item.variant)), *_cells(item, look.period))
    head = f"{look.endpoint}: {look.status}, {look.config}, {look.at:%H:%M:%S} UTC"
    texts = [escape(printable(head))]
    if look.shift is not None:
        texts.append(escape(printable(_shift(look.shift))))
    return Group(*texts, rows)


def _shift(shift: ShiftLook) -> str:
    told = f"version {shift.version} of {shift.group} is {shift.phase}"
    if shift.stages:
        told += f", stage {shift.stage} of {shift.stages}"
    if shift.left is not None:
        told += f", {said(round(shift.left))} left"
    elif shift.doing is not None:
        told += f", {shift.doing}"
    return f"{told}: {shift.reason}" if shift.reason else told


def _cells(item: VariantLook, period: int) -> tuple[str, str, str, str, str]:
    counted = "" if item.instances is None else f"{item.instances} instance{'s' if item.instances != 1 else ''}"
    return (
        f"{item.share:.3g} %",
        counted,
        "" if item.requests is None else f"{item.requests:g} in {said(period)}",
        "" if item.errors is None else f"{100 * item.errors:.3g} % errors",
        "" if item.latency is None else f"{1000 * item.latency:.3g} ms",
    )
