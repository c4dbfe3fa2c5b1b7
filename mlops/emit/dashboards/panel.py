"""What a panel of a board shows, whichever kind of visualization draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import TIME, Index


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of the events of a bucket; ``field`` of all but a count."""

    label: str
    type: Literal["count", "sum", "avg", "max", "cardinality"] = "count"
    field: str | None = None

    def params(self, index: Index) -> dict[str, Any]:
        field = {"field": index.countable(self.field)} if self.field is not None else {}
        return {**field, "customLabel": self.label}


@dataclass(frozen=True, slots=True)
class Bucket:
    """How events are parted: by time, by the values of a field, by steps of a number, by where they were."""

    label: str
    type: Literal["date_histogram", "terms", "histogram", "geohash_grid"] = "terms"
    field: str = TIME
    size: int = 10
    interval: float = 1

    def params(self, order_by: str, index: Index) -> dict[str, Any]:
        """``order_by`` is the id of the metric that the largest are chosen by."""
        match self.type:
            case "date_histogram":
                return {
                    "field": self.field,
                    "useNormalizedOpenSearchInterval": True,
                    "interval": "auto",
                    "drop_partials": False,
                    "min_doc_count": 1,
                    "extended_bounds": {},
                    "customLabel": self.label,
                }
            case "histogram":
                return {
                    "field": self.field,
                    "interval": self.interval,
                    "min_doc_count": True,
                    "extended_bounds": {},
                    "customLabel": self.label,
                }
            case "geohash_grid":
                return {
                    "field": self.field,
                    "autoPrecision": True,
                    "precision": 2,
                    "useGeocentroid": True,
                    "isFilteredByCollar": True,
                    "customLabel": self.label,
                }
        return {
            "field": index.countable(self.field),
            "orderBy": order_by,
            "order": "desc",
            "size": self.size,
            "otherBucket": False,
            "otherBucketLabel": "Other",
            "missingBucket": False,
            "missingBucketLabel": "Missing",
            "customLabel": self.label,
        }


IN_TIME = Bucket("Time", "date_histogram")


@dataclass(frozen=True, slots=True)
class Panel:
    """``query`` is in Lucene's words. ``along`` parts events along an axis, ``split`` within it. ``text`` is a
    markdown's, ``ranges`` are where a gauge changes its colour, ``controls`` are fields that a reader chooses values
    of. ``width`` is of 48 columns."""

    title: str
    visualization: str
    query: str = ""
    metrics: tuple[Metric, ...] = (Metric("Events"),)
    along: tuple[Bucket, ...] = ()
    split: tuple[Bucket, ...] = ()
    text: str = ""
    ranges: tuple[float, ...] = (0, 1, 10, 100)
    controls: tuple[tuple[str, str], ...] = ()
    width: int = 24
    height: int = 12
    index: Index = EVENTS


@dataclass(frozen=True, slots=True)
class Drawn:
    """``type`` is Dashboards' word. ``names`` are of references to the index pattern that the parameters name;
    ``searched``: the search source says which events, as it does of all but those that ask by themselves."""

    type: str
    params: Mapping[str, Any]
    aggs: tuple[Mapping[str, Any], ...] = ()
    names: tuple[str, ...] = ()
    searched: bool = True


@dataclass(frozen=True, slots=True)
class Visualization:
    """A kind of them: what a file of ``visualizations/`` has. ``bodies`` are the searches of one that asks by itself;
    those of others follow from their aggregations."""

    draw: Callable[[Panel], Drawn]
    bodies: Callable[[Panel], tuple[Mapping[str, Any], ...]] | None = None


def aggs(
    panel: Panel, along: str = "segment", split: str = "group", metric: str = "metric"
) -> tuple[Mapping[str, Any], ...]:
    """Aggregations by the schemas of a kind: metrics first, then the buckets from the outermost on."""
    found = [
        {"id": str(number), "enabled": True, "type": item.type, "schema": metric, "params": item.params(panel.index)}
        for number, item in enumerate(panel.metrics, 1)
    ]
    parted = [*((item, along) for item in panel.along), *((item, split) for item in panel.split)]
    for number, (bucket, schema) in enumerate(parted, len(found) + 1):
        params = bucket.params("1", panel.index)
        found.append({"id": str(number), "enabled": True, "type": bucket.type, "schema": schema, "params": params})
    return tuple(found)
