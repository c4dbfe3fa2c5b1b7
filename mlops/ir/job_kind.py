"""What is known of one kind of job: how the service, its logs and its quotas call it, and where its data lie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import Key


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where a job's request or description holds S3 URIs.

    ``path`` leads to one URI, which is called ``name``. With ``label`` it leads to a list instead, whose items are
    called by that member, and ``inside`` leads on from an item. ``is_file``: the URI is one object's, whose whole
    folder is the job's. ``recorded`` is what experiment records call it, where that is another word.

    >>> place = S3Place(("ProcessingInputs",), label="InputName", inside=("S3Input", "S3Uri"))
    >>> dict(place.uris({"ProcessingInputs": [{"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw"}}]}))
    {'raw': 's3://b/raw'}
    """

    path: tuple[str, ...]
    name: str = ""
    label: str | None = None
    inside: tuple[str, ...] = ()
    is_file: bool = False
    recorded: str | None = None

    @property
    def last(self) -> str:
        """The member that holds the URI."""
        return (self.inside or self.path)[-1]

    def names(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        """What a request declares; a single place is always there."""
        return (self.name,) if self.label is None else tuple(name for name, _ in self._items(body))

    def values(self, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """By name what stands where a URI belongs: in a definition it may be an expression."""
        items = self._items(body) if self.label is not None else ((self.name, body),)
        for name, item in items:
            found = get(item, *(self.inside if self.label is not None else self.path))
            if found is not None:
                yield name, found

    def uris(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """By name; what is no plain text is left out."""
        return ((name, value) for name, value in self.values(body) if isinstance(value, str))

    def folders(self, body: Mapping[str, Any]) -> Iterator[str]:
        """URIs that end in a slash."""
        for _, uri in self.uris(body):
            whole = uri.rstrip("/")
            yield f"{whole.rpartition('/')[0] if self.is_file else whole}/"

    def named_by(self, segments: tuple[object, ...]) -> str | None:
        """The name of the URI that ``Steps.X.<segments>`` reads, None where it reads something else."""
        if self.label is None:
            return self.name if segments == self.path else None
        depth = len(self.path)
        if segments[:depth] != self.path or segments[depth + 1 :] != self.inside:
            return None
        key = segments[depth]
        return key.text if isinstance(key, Key) else None

    def with_uris(self, body: Mapping[str, Any], uris: Mapping[str, str]) -> Mapping[str, Any]:
        """The same with other URIs by name; names that are not there are left alone."""
        there = dict(self.values(body))
        wanted = {name: uri for name, uri in uris.items() if name in there}
        if not wanted:
            return body
        if self.label is None:
            return _put(body, self.path, wanted[self.name])
        listed: Any = get(body, *self.path)
        items = [
            _put(item, self.inside, wanted[item[self.label]])
            if isinstance(item, Mapping) and item.get(self.label) in wanted
            else item
            for item in listed
        ]
        return _put(body, self.path, tuple(items))

    def _items(self, body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        listed: Any = get(body, *self.path)
        for item in listed if isinstance(listed, list | tuple) else ():
            if isinstance(item, Mapping) and isinstance(name := item.get(self.label or ""), str):
                yield name, item


@dataclass(frozen=True, slots=True)
class JobKind:
    """Operations and members of the API are spelled after ``name``, e.g. TrainingJob; where one is not, it is given.

    - ``segment``: what the resource part of its ARN begins with.
    - ``member``: the member of a step's Metadata that has its ARN; unless given, ``name``.
    - ``describe``: the operation; unless given, ``Describe<name>``.
    - ``destination``: the request's member that says where results go.
    - ``inputs``, ``outputs``: where the description has what is read and what was written.
    - ``quota``: the noun in the names of its quotas, None where it has none of its own.
    - ``log_group``: in CloudWatch Logs, None where it writes no log of its own.
    - ``missing``: what Describe says where there is none; ``{name}`` is filled in.
    - ``newest_first``: the order of its list where none is asked for.
    - ``stages``: its description tells of a SecondaryStatus.
    - ``boxed``: it starts commands, so here its steps run in a sandbox.
    - ``name_limit``: how long its name may be.
    - ``starts``: the kind of the jobs that it starts itself, named after it.
    - ``summarized``: where the description has what a list tells in another place, by member of the summary.
    - ``opens``: it is one command in one place, which `mlops executions open` can show.
    """

    name: str
    segment: str
    member: str = ""
    describe: str = ""
    destination: str | None = None
    inputs: tuple[S3Place, ...] = ()
    outputs: tuple[S3Place, ...] = ()
    quota: str | None = None
    log_group: str | None = None
    missing: str = "Could not find requested job with name: {name}"
    newest_first: bool = False
    stages: bool = False
    boxed: bool = True
    opens: bool = True
    name_limit: int = 63
    starts: str | None = None
    summarized: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "member", self.member or self.name)
        object.__setattr__(self, "describe", self.describe or f"Describe{self.name}")

    @property
    def describe_method(self) -> str:
        """As boto3 calls the operation.

        >>> JobKind("AutoMLJob", "automl-job", describe="DescribeAutoMLJobV2").describe_method
        'describe_auto_ml_job_v2'
        """
        parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", self.describe)
        return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()

    @property
    def list_operation(self) -> str:
        return f"List{self.name}s"

    @property
    def summaries(self) -> str:
        """The member of the list's reply."""
        return f"{self.name}Summaries"

    @property
    def name_member(self) -> str:
        return f"{self.name}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.name}Arn"

    @property
    def status_member(self) -> str:
        return f"{self.name}Status"

    @property
    def start_member(self) -> str:
        return f"{self.name.removesuffix('Job')}StartTime"

    @property
    def end_member(self) -> str:
        return f"{self.name.removesuffix('Job')}EndTime"

    def uris(self, places: tuple[S3Place, ...], body: Mapping[str, Any]) -> Iterator[tuple[S3Place, str, str]]:
        """Place, name and URI of ``inputs`` or ``outputs``."""
        for place in places:
            for name, uri in place.uris(body):
                yield place, name, uri


def _put(body: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Mapping[str, Any]:
    first, *rest = path
    return {**body, first: _put(body[first], tuple(rest), value) if rest else value}
