"""Whether an earlier result of a step serves again: what the result depends on, as named hashes.

The key is over the members that ``StepType.cache_keys`` names, with every expression evaluated. Where a value is an S3
URI, the content that lies there counts, so that equal files from another execution are equal. Further parts go beyond
what the service looks at, because here a wrong hit would not be told from a right one: the names and settings of the
outputs (not their places), and the Python and packages that run the step.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from mlops.ir import StepType
from mlops.ir.hiding import HIDDEN, hide_value
from mlops.ir.members import get
from mlops.knowledge.container_engine import identity, is_contained
from mlops.run.ports import Cache, CacheEntry, Images, ObjectMissing, Part, Registry, RequestRefused, Success

_OUTPUT_PATH = "S3OutputPath"
_WHERE = (_OUTPUT_PATH, "S3Uri", "KmsKeyId")
"""What in the member that describes outputs does not change a result."""
# A job goes on from its checkpoints and writes them to the same place, so their content is never the same twice.
_BY_NAME_ONLY = "CheckpointConfig"
_IMAGES = ("TrainingImage", "ImageUri", "Image")
_READ_WHOLE = ("S3Uri", "ModelDataUrl")
"""Members of which the step sees the content and not the URI itself."""
_ENCODER = json.JSONEncoder(sort_keys=True, default=str)
_MOST_FILES = 200
_SHOWN_LENGTH = 200
_MANIFESTS = ("ManifestFile", "AugmentedManifestFile")
_UNITS = {"Y": 365 * 86400, "W": 7 * 86400, "D": 86400, "H": 3600, "S": 1}
_DURATION = re.compile(r"[Pp]?((\d+(\.\d+)?[YyMmWwDdHhSs])*)([Tt]((\d+(\.\d+)?[HhMmSs])+))?")


class _NotCacheable(Exception):
    """The text says why."""


class StepCache:
    """The cache of one execution. ``known`` are ids of executions whose results it uses: in URIs they count as one, for
    a step in a place named after its execution has not changed."""

    def __init__(
        self, port: Cache, registry: Registry, execution_id: str, known: set[str], images: Images | None = None
    ) -> None:
        self._images = images
        self._port = port
        self._registry = registry
        self._ids = {execution_id, *known}

    def entry(self, step_type: StepType, request: Mapping[str, Any]) -> CacheEntry:
        if not step_type.cache_keys:
            return CacheEntry(None, note=f"steps of type {step_type.type} are never cached")
        try:
            parts = dict(self._parts(step_type, request))
        except (_NotCacheable, RequestRefused, ObjectMissing) as reason:
            return CacheEntry(None, note=f"it cannot be cached: {reason}")
        return CacheEntry(_digest([step_type.type, {name: part.digest for name, part in parts.items()}]), parts)

    def find(self, step: str, entry: CacheEntry, config: Any, now: datetime) -> Success | str | None:
        """An earlier result that serves, or why none does; None where no step had this key. ``config`` is the step's
        CacheConfig."""
        if entry.key is None:
            return entry.note
        given = config if isinstance(config, Mapping) else {}
        if given.get("Enabled") is False:
            return "the cache is switched off by CacheConfig"
        reason: str | None = None
        for success in self._port.successes(step, entry.key):
            fault = self._stale(success, given.get("ExpireAfter"), now) or self._lost(success)
            if fault is None:
                self._ids.add(success.execution_arn.rpartition("/")[2])
                return success
            reason = reason or fault
        return reason

    def outputs(self, step_type: StepType | None, response: Mapping[str, Any]) -> dict[str, str]:
        """By URI what a step has written, in the form of :attr:`CacheEntry.outputs`: whole folders, so that data beside
        a file count too."""
        job = step_type.job if step_type is not None else None
        places = job.outputs if job is not None else ()
        return {uri: self._written(uri) for place in places for uri in place.folders(response)}

    def _stale(self, success: Success, expire_after: Any, now: datetime) -> str | None:
        if expire_after is None or success.record.ended is None:
            return None
        limit = seconds(expire_after)
        if limit is None:
            return f"ExpireAfter {expire_after!r} is no duration"
        if (now - success.record.ended).total_seconds() <= limit:
            return None
        return f"the result of {_execution(success)} is older than ExpireAfter ({expire_after})"

    def _lost(self, success: Success) -> str | None:
        entry = success.record.cache
        for uri, digest in (entry.outputs if entry is not None else {}).items():
            if self._written(uri) != digest:
                gone = not self._port.content(uri)
                return f"the outputs of {_execution(success)} {'are gone' if gone else 'were changed since'}: {uri}"
        return None

    def _written(self, uri: str) -> str:
        return _digest(sorted(self._port.content(uri).items()))

    def _parts(self, step_type: StepType, request: Mapping[str, Any]) -> Iterator[tuple[str, Part]]:
        for dotted in step_type.cache_keys:
            value: Any = get(request, *dotted.split("."))
            if dotted == "ModelName":
                # A model is made anew, under a new name, by every execution.
                dotted, value = "Model", [*self._containers(value)] if value is not None else None
            if value is not None:
                for at, leaf, shown in _shown_leaves(value, dotted):
                    if _last(at) != _OUTPUT_PATH:
                        yield at, self._part(at, leaf, shown)
        destination = step_type.job.destination if step_type.job is not None else None
        if destination is not None and request.get(destination):
            for at, leaf, shown in _shown_leaves(request[destination], destination):
                if _last(at) not in _WHERE:
                    yield at, self._part(at, leaf, shown)
        yield "Python", Part(platform.python_version(), platform.python_version())
        yield "installed packages", Part(self._packages(request))

    def _packages(self, request: Mapping[str, Any]) -> str:
        """Of this Python, and of what was built for the images of the step."""
        model = request.get("ModelName")
        named = {*_named(request), *(_named([*self._containers(model)]) if model is not None else ())}
        built = [found for image in sorted(named) if (found := self._standing_for(image))]
        return _digest([_installed(), *built]) if built else _installed()

    def _standing_for(self, image: str) -> str | None:
        if is_contained(image):
            return identity(image)
        return self._images.standing_for(image) if self._images is not None else None

    def _containers(self, model: Any) -> Iterator[Mapping[str, Any]]:
        described = self._registry.describe("DescribeModel", {"ModelName": model})
        listed = [described["PrimaryContainer"]] if described.get("PrimaryContainer") else described["Containers"]
        for container in listed:
            package = container.get("ModelPackageName")
            if package is None:
                yield container
                continue
            found = self._registry.describe("DescribeModelPackage", {"ModelPackageName": package})
            own = {name: value for name, value in container.items() if name != "ModelPackageName"}
            for packaged in (found.get("InferenceSpecification") or {}).get("Containers") or []:
                yield {"Packaged": packaged, **own}

    def _part(self, at: str, value: Any, shown: Any) -> Part:
        """``shown`` is the value without a secret."""
        if _last(at) == "S3DataType" and value in _MANIFESTS:
            raise _NotCacheable(f"{at} is {value}, so the files are named elsewhere")
        if ".DatasetDefinition." in at:
            raise _NotCacheable("the rows that a DatasetDefinition asks for may be others by now")
        text = value.strip('"') if isinstance(value, str) else ""  # hyperparameters may be JSON
        secret = ".Environment." in f".{at}"
        if not text.startswith("s3://") or at.startswith(_BY_NAME_ONLY):
            plain = self._nameless(value) if text.startswith("s3://") else value
            return Part(_digest(plain), None if secret else _shown(shown))
        files = {_relative(uri, text): digest for uri, digest in self._port.content(text).items()}
        kept = files if len(files) <= _MOST_FILES else {}
        seen = [*sorted(files.items())]
        if not files or _last(at) not in _READ_WHOLE:
            seen.append(("", self._nameless(text)))
        return Part(_digest(seen), None if secret else _shown(shown), text, kept)

    def _nameless(self, uri: str) -> str:
        for execution in self._ids:
            uri = uri.replace(execution, "*")
        return uri


def seconds(duration: Any) -> float | None:
    """An ISO 8601 duration as it is found in the wild; None where it is none. A month has 30 days.

    >>> [seconds(text) for text in ("P30D", "30d", "T12H", "PT1H", "T16m", "P1M", "P", "soon")]
    [2592000.0, 2592000.0, 43200.0, 3600.0, 960.0, 2592000.0, None, None]
    """
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None or not (found[1] or found[5]):
        return None
    total = 0.0
    for text, minute_or_month in ((found[1], 30 * 86400), (found[5] or "", 60)):
        for number, unit in re.findall(r"([\d.]+)([A-Z])", text.upper()):
            total += float(number) * _UNITS.get(unit, minute_or_month)
    return total


def _execution(success: Success) -> str:
    return f"execution {success.execution_arn.rpartition('/')[2]}"


def _shown_leaves(value: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    """The leaves, and what each is without a secret."""
    shown = dict(_leaves(hide_value(_last(at), value), at))
    for place, leaf in _leaves(value, at):
        yield place, leaf, shown.get(place, HIDDEN)


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Scalars and empty containers by their dotted names; items of a list by a name of theirs where they have one."""
    match value:
        case Mapping() if value:
            for name in sorted(value):
                yield from _leaves(value[name], f"{at}.{name}")
        case [_, *_]:
            for label, item in zip(_labels(value), value, strict=True):
                yield from _leaves(item, f"{at}[{label}]")
        case _:
            yield at, value


def _labels(items: list[Any]) -> list[str]:
    """
    >>> _labels([{"ChannelName": "train"}, {"ChannelName": "test"}]), _labels(["a", "b"])
    (['train', 'test'], ['0', '1'])
    """
    for member in ("InputName", "OutputName", "ChannelName", "Name"):
        names = [item.get(member) if isinstance(item, Mapping) else None for item in items]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return [str(name) for name in names]
    return [str(index) for index in range(len(items))]


def _last(at: str) -> str:
    return at.rpartition(".")[2]


def _relative(uri: str, place: str) -> str:
    """As the step will see the file: below the place, or the whole name where the place ends inside a name."""
    rest = uri[len(place) :]
    return rest.lstrip("/") if rest.startswith("/") or place.endswith("/") else place.rpartition("/")[2] + rest


@cache
def _installed() -> str:
    """Names and versions, out of the names of their folders: reading all their metadata would take longer than a step
    that is served."""
    names: set[str] = set()
    for folder in sys.path:
        if os.path.isdir(folder):  # noqa: PTH112 - hot
            names.update(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))  # noqa: PTH208
    return _digest(sorted(names))


def _named(value: Any) -> Iterator[str]:
    """Images that a request names."""
    match value:
        case Mapping():
            for name, item in value.items():
                if name in _IMAGES and isinstance(item, str):
                    yield item
                else:
                    yield from _named(item)
        case list() | tuple():
            for item in value:
                yield from _named(item)


def _digest(value: Any) -> str:
    return hashlib.sha256(_ENCODER.encode(value).encode()).hexdigest()


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def served(entry: CacheEntry, success: Success) -> CacheEntry:
    """The entry of a step whose result is an earlier one."""
    return replace(entry, outputs=success.record.cache.outputs) if success.record.cache is not None else entry
