"""Features of captured requests that somebody named: where they were, how large, of which kinds."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.dashboards.board import Board, Declared
from mlops.emit.dashboards.panel import IN_TIME, Bucket, Metric, Panel
from mlops.ir.captured_fields import FEATURE, captured


def board(declared: Declared) -> Board | None:
    panels = (*_panels(declared),)
    if not panels:
        return None
    return Board(f"{declared.title}: captured requests", "Features that were named, of captured requests.", panels)


def _panels(declared: Declared) -> Iterator[Panel]:
    index = captured(declared.captured)
    for endpoint in declared.endpoints:
        for name, kind in sorted(declared.captured.get(endpoint, {}).items()):
            field, title = f"{FEATURE}.{name}", f"{endpoint}: {name}"
            of = f"{declared.of('endpoint', (endpoint,))} AND _exists_:{field}"
            match kind:
                case "geo_point":
                    yield Panel(
                        title, "coordinate-map", of, (Metric("Requests"),), (Bucket("Place", "geohash_grid", field),),
                        height=18, index=index,
                    )  # fmt: skip
                case "keyword":
                    yield Panel(
                        title, "bar", of, (Metric("Requests"),), (IN_TIME,), (Bucket(name, field=field),), index=index
                    )
                case "long" | "double":
                    yield Panel(
                        title, "line", of, (Metric("mean", "avg", field), Metric("largest", "max", field)),
                        (IN_TIME,), (Bucket("Variant", field="variant"),), index=index,
                    )  # fmt: skip
