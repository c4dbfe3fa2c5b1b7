"""Transform: every input object through the model's server, one ``.out`` object each."""

from __future__ import annotations

import gzip
import http.client
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.local_files import how_it_comes
from mlops.run.beneath import content
from mlops.run.data_processing import DataProcessing, data_processing
from mlops.run.job import Job
from mlops.run.limits import Limits, Watch, limits
from mlops.run.log import exit_reason
from mlops.run.outcome import Outcome, StepFailed, Task
from mlops.run.output import bound
from mlops.run.requirements import check_requirements
from mlops.run.resolve import as_texts
from mlops.run.serving.inference_pipeline import InferencePipeline, invoke
from mlops.run.serving.model_data import place_model
from mlops.run.serving.model_server import ModelServerFailed
from mlops.run.transfer import fetch, prefix_places, safe
from mlops.run.transform_capture import TransformCapture, transform_capture
from mlops.run.work import Work

_DEFAULT_PAYLOAD_MB = 6
_STARTED_SECONDS = 1.0
_MOST_STARTS = 12
_DEFAULT_TIMEOUT, _DEFAULT_RETRIES = 600, 3


@dataclass(frozen=True, slots=True)
class _Place:
    """One input object with its file, the file for its answers, and the URI where those go."""

    source: str

    records: Path
    answers: Path
    uri: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the inputs are cut and the answers put together."""

    places: tuple[_Place, ...]
    split_lines: bool
    many_records: bool
    payload_bytes: int
    assemble_lines: bool
    zipped: bool
    headers: Mapping[str, str]
    timeout: float
    retries: int
    processing: DataProcessing | None
    capture: TransformCapture | None


def start(work: Work) -> Task:
    request = {**work.request}
    if "Environment" in request:
        request["Environment"] = as_texts(request["Environment"])
    job = Job(work, request)
    return job.launch(lambda: _launch(work, request, job))


def _launch(work: Work, request: Mapping[str, Any], job: Job) -> Task:
    work.need_possible(request)
    model = work.ports.registry.describe("DescribeModel", {"ModelName": request.get("ModelName")})
    containers = place_model(
        model, work.folder, work.ports.objects, work.ports.registry, work.ports.images, by_a_job=True
    )
    for container in containers:
        if container.python is None:
            check_requirements(container.requirements, work)
    plan = _plan(work, request, job.began)
    network = work.box(network=not model.get("EnableNetworkIsolation")).network
    extra = {**_batch_environment(request), **request.get("Environment", {})}

    def launch() -> InferencePipeline:
        return InferencePipeline.launch(containers, work.log, network=network, extra=extra, isolation=work.isolation)

    resources = request.get("TransformResources") or {}
    bounds = limits({}, str(resources.get("InstanceType")), work.execution.memory_limit)
    return _TransformTask(work, job, launch, plan, bounds)


def _batch_environment(request: Mapping[str, Any]) -> dict[str, str]:
    """SAGEMAKER_BATCH always, the others where the caller set them."""
    environment = {"SAGEMAKER_BATCH": "true"}
    if "MaxPayloadInMB" in request:
        environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(request["MaxPayloadInMB"])
    if "MaxConcurrentTransforms" in request:
        environment["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(request["MaxConcurrentTransforms"])
    if "BatchStrategy" in request:
        name = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}.get(request["BatchStrategy"])
        environment["SAGEMAKER_BATCH_STRATEGY"] = name or str(request["BatchStrategy"])
    return environment


def _plan(work: Work, request: Mapping[str, Any], began: datetime) -> _Plan:
    """Fetches the inputs too. Raises :class:`StepFailed`."""
    given, wanted = request.get("TransformInput") or {}, request.get("TransformOutput") or {}
    uri = given["DataSource"]["S3DataSource"]["S3Uri"]
    folder = wanted["S3OutputPath"]
    places = []
    for key, relative in prefix_places(uri, work.ports.objects):
        path = safe(relative, "TransformInput")
        place = _Place(
            key,
            work.folder / "input" / path,
            work.folder / "output" / f"{path}.out",
            f"{folder.rstrip('/')}/{path.as_posix()}.out",
        )
        fetch(key, place.records, work.ports.objects, "TransformInput")
        places.append(place)
    if not places:
        raise StepFailed(f"TransformInput: no object is stored under {uri}; {how_it_comes(uri)}")
    payload = request.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB)
    client = request.get("ModelClientConfig") or {}
    headers = {
        name: str(value)
        for name, value in (("Content-Type", given.get("ContentType")), ("Accept", wanted.get("Accept")))
        if value
    }
    return _Plan(
        places=tuple(places),
        split_lines=given.get("SplitType") == "Line",
        many_records=request.get("BatchStrategy", "MultiRecord") == "MultiRecord",
        payload_bytes=(payload or 100) * 1024 * 1024,
        assemble_lines=wanted.get("AssembleWith") == "Line",
        zipped=given.get("CompressionType") == "Gzip",
        headers=headers,
        timeout=float(client.get("InvocationsTimeoutInSeconds", _DEFAULT_TIMEOUT)),
        retries=int(client.get("InvocationsMaxRetries", _DEFAULT_RETRIES)),
        processing=data_processing(request),
        capture=transform_capture(request, began),
    )


class _TransformTask:
    """A thread talks to the servers and touches local files only; servers are started and objects stored from
    :meth:`poll`."""

    def __init__(
        self, work: Work, job: Job, launch: Callable[[], InferencePipeline], plan: _Plan, bounds: Limits
    ) -> None:
        self.metadata = job.metadata
        self._work = work
        self._job = job
        self._launch = launch
        self._plan = plan
        self._bounds = bounds
        self._failure: str | None = None
        self._crash: BaseException | None = None
        self._stopped = threading.Event()
        self._exceeded: str | None = None
        self._wanted, self._started = threading.Event(), threading.Event()
        self._starts_left = _MOST_STARTS
        self._start()
        self._thread = threading.Thread(target=self._run, name=work.name, daemon=True)
        self._thread.start()

    def poll(self) -> Outcome | None:
        if self._thread.is_alive():
            self._exceeded = next((told for watch in self._watches if (told := watch.exceeded())), self._exceeded)
            if self._exceeded is not None:
                self._servers.kill()
            elif self._wanted.is_set():
                self._wanted.clear()
                self._servers.kill()
                self._start()
            return None
        self._servers.stop(self._work.pace.server_grace)
        outcome = self._job.finish(self._finish)
        bound(self._work.log)
        return outcome

    def stop(self) -> None:
        self._stopped.set()
        self._servers.kill()

    def kill(self) -> None:
        self.stop()
        self._thread.join(10)

    def _start(self) -> None:
        self._starts_left -= 1
        self._servers = self._launch()
        self._watches = [Watch(server.process, (), self._bounds) for server in self._servers.servers]
        self._started.set()

    def _run(self) -> None:
        try:
            self._servers.wait_until_healthy()
            faults = [fault for place in self._plan.places if (fault := self._transform(place))]
            self._failure = "; ".join(faults[:5]) or None
        except ModelServerFailed as fault:
            self._failure = str(fault)
        except BaseException as fault:
            self._crash = fault

    def _revive(self) -> None:
        """Servers that run, new ones where they ended. What the service does with a container that ends is not
        documented. Raises :class:`ModelServerFailed`."""
        code = self._servers.ended()
        if code is None or self._stopped.is_set() or self._exceeded is not None:
            return
        if self._starts_left == 0:
            raise ModelServerFailed(f"the model server ended again and again, {exit_reason(code, self._work.log)}")
        self._started.clear()
        self._wanted.set()
        while not self._started.wait(_STARTED_SECONDS):
            if self._stopped.is_set():
                return
        self._servers.wait_until_healthy()

    def _finish(self) -> Outcome:
        if self._exceeded is not None:
            return self._job.ended("Failed", f"the model server: {self._exceeded}")
        if self._stopped.is_set():
            return self._job.ended("Stopped")
        if self._crash is not None:
            raise self._crash
        for place in self._plan.places:
            if place.answers.is_file():
                with place.answers.open("rb") as answers:
                    self._work.ports.objects.put(content(answers), place.uri)
                self._work.note(f"answers to {place.uri}")
        if self._failure:
            return self._job.ended("Failed", self._failure)
        if self._plan.capture is not None:
            read, answered = [place.source for place in self._plan.places], [place.uri for place in self._plan.places]
            for uri, manifest in self._plan.capture.manifests(read, answered):
                self._work.ports.objects.put([manifest], uri)
                self._work.note(f"captured to {uri}")
        for folder_name in ("input", "output"):
            shutil.rmtree(self._work.folder / folder_name, ignore_errors=True)
        return self._job.ended("Completed")

    def _transform(self, place: _Place) -> str | None:
        """Answers what went wrong; then there is no output for this object, the others go on."""
        place.answers.parent.mkdir(parents=True, exist_ok=True)
        partial = place.answers.with_name(f"{place.answers.name}.part")
        try:
            with partial.open("wb") as output:
                for payload, records in _payloads(place.records, self._plan):
                    answer = self._post(payload)
                    if self._plan.processing is not None:
                        answer = self._plan.processing.kept(records, answer)
                    if self._plan.capture is not None:
                        answer = self._plan.capture.identified(answer)
                    output.write(answer)
                    # The guide has a line break after each record, the SDK after each answer; both mean that no two
                    # answers share a line.
                    if self._plan.assemble_lines and not answer.endswith(b"\n"):
                        output.write(b"\n")
        except (StepFailed, OSError, http.client.HTTPException, EOFError, zlib.error) as fault:
            partial.unlink()
            return f"{place.records.name}: {fault}"
        partial.replace(place.answers)
        return None

    def _post(self, payload: bytes) -> bytes:
        """Raises :class:`StepFailed` for an answer that is no 2xx after all retries, :class:`ModelServerFailed`."""
        told = ""
        for _ in range(1 + self._plan.retries):
            self._revive()
            if self._stopped.is_set() or self._exceeded is not None:
                break
            try:
                reply = invoke(self._servers.ports, payload, self._plan.headers, self._plan.timeout)
            except TimeoutError:
                told = f"no answer within {self._plan.timeout:g} seconds"
                continue
            except (OSError, http.client.HTTPException) as fault:
                told = self._lost(fault)
                continue
            if reply.status < 300:
                return reply.body
            lines = reply.body.decode("utf-8", errors="replace").strip().splitlines() or [""]
            told = f"the model answered {reply.status}: {lines[-1].strip()}"
            if reply.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE and "Content-Type" not in self._plan.headers:
                told += "; TransformInput says no ContentType, so the model took it for what it takes by itself"
            if reply.status < 500:
                break
        raise StepFailed(told or "stopped")

    def _lost(self, fault: Exception) -> str:
        """A connection that broke, mostly because the server ended, which takes a moment to be seen."""
        deadline = time.monotonic() + _STARTED_SECONDS
        while (code := self._servers.ended()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if code is None:
            return f"the model server broke the connection off: {fault!r}"
        return f"the model server ended while it answered, {exit_reason(code, self._work.log)}"


def _payloads(source: Path, plan: _Plan) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each with the records it was made of. Raises :class:`StepFailed` where one is larger than a payload may be."""
    sent = plan.processing.sent if plan.processing is not None else lambda record: record
    with gzip.open(source, "rb") if plan.zipped else source.open("rb") as file:
        if not plan.split_lines:
            whole = file.read()
            payload = sent(whole)
            _fits(payload, plan)
            yield payload, [whole]
            return
        waiting, records = bytearray(), list[bytes]()
        for line in file:
            record = line.rstrip(b"\r\n")
            if not record:
                continue
            part = sent(record)
            _fits(part, plan)
            if waiting and (not plan.many_records or len(waiting) + 1 + len(part) > plan.payload_bytes):
                yield bytes(waiting), records
                waiting, records = bytearray(), []
            if waiting:
                waiting += b"\n"
            waiting += part
            records.append(record)
        if waiting:
            yield bytes(waiting), records


def _fits(payload: bytes, plan: _Plan) -> None:
    if len(payload) > plan.payload_bytes:
        limit = plan.payload_bytes
        raise StepFailed(f"a record of {len(payload)} bytes is larger than MaxPayloadInMB allows ({limit} bytes)")
