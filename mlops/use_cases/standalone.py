"""A registered version by itself: its ``model.tar.gz``, or a folder of which a container or a Lambda function is built
that answers as the endpoint does. Nothing is downloaded but the version's own archive, and no Docker is needed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import evidence
from mlops.deploy.endpoints.sampling import Samples, samples_of
from mlops.deploy.models import registry
from mlops.deploy.models.distributions import requirements
from mlops.deploy.models.registry import Version
from mlops.deploy.pages import keys
from mlops.ir import Listener, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Digest
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.ir.s3_uri import split_uri
from mlops.ir.secrecy import IN_URL, VENDORS, is_secret
from mlops.run.archive import unpack
from mlops.run.outcome import StepFailed
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said
from mlops.use_cases.packaging import HANDLER, LARGEST_GB, judge_secrets, judge_size
from mlops.use_cases.python_here import BasePython, python_of, worked_out

Form: TypeAlias = Literal["archive", "container", "lambda"]

_BASES: Mapping[str, str] = {"container": "python:{}-slim", "lambda": "amazon/aws-lambda-python:{}"}
_IMAGE_MB = 10_240
"""The largest image of a function; an archive, with all that it imports, may have :data:`_ARCHIVE_MB`."""
_ARCHIVE_MB = 250
_CHUNK = 1024 * 1024
_OPT_ML = PurePosixPath("/opt/ml")
_IMAGE = re.compile(r"[A-Za-z0-9][\w./:@-]*")
_ELSEWHERE = re.compile(r"\s*(-r|-c|-e|--requirement|--constraint|--editable|--find-links|-f)\b")
"""Lines of a requirements file that name files of this machine."""
_SERVING = ("entry.py", "server.py", "handlers.py")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``number`` None is the newest. ``out`` is ``model.tar.gz``, or the folder GROUP-VERSION, where none is given;
    ``requirements`` a file with all that is installed, ``base`` the image to begin with; ``allowed`` names files that
    may hold what looks like a secret."""

    environment: str
    group: str
    number: int | None
    form: Form
    out: Path | None = None
    requirements: Path | None = None
    base: str | None = None
    largest_gb: float = LARGEST_GB
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alone:
    """``files`` are names below ``out`` with their sizes; an archive is its own only one. ``tries`` are commands that
    build it and ask it a sample."""

    version: Version
    form: Form
    out: Path
    files: tuple[tuple[str, int], ...]
    sha256: str | None = None
    base: str | None = None
    requirements: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pins:
    """``lines`` of ``text``, which is written as it is."""

    lines: tuple[str, ...]
    text: str


def package_version(wanted: Wanted, listener: Listener) -> Alone:
    """What is written appears whole or not at all. Raises UsageError and Refusal."""
    connected = connect_here(wanted.environment)
    account = connected.account
    version = registry.version(account, wanted.group, wanted.number)
    usual = "model.tar.gz" if wanted.form == "archive" else f"{version.group}-{version.number}"
    out = wanted.out or Path(usual)
    _need_free(wanted, out)
    container = _container(version)
    known = evidence.registered(account, connected.environment, version)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            built = Path(scratch, "built")
            if wanted.form == "archive":
                digest = _archive(account, container, known, built, listener)
                alone = Alone(version, wanted.form, out, ((out.name, built.stat().st_size),), digest)
            else:
                alone = _folder(account, wanted, version, container, known, built, out, listener)
            if out.is_dir():
                out.rmdir()
            built.replace(out)
    except OSError as error:
        raise UsageError(f"{error.filename or out} cannot be written: {error.strerror or error}") from None
    return alone


def _need_free(wanted: Wanted, out: Path) -> None:
    if wanted.form == "archive":
        if wanted.requirements or wanted.base:
            raise UsageError("--requirements and --base are for --as container and --as lambda")
        if not out.name.endswith(".tar.gz"):
            raise UsageError(f"{out} does not end with .tar.gz", hint="the containers want a model.tar.gz")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already", hint="remove it, or give another folder with -o")


def _container(version: Version) -> Mapping[str, Any]:
    told = f"version {version.number} of {version.group}"
    found: Sequence[Mapping[str, Any]] = (version.details.get("InferenceSpecification") or {}).get("Containers") or ()
    if len(found) != 1:
        raise Refusal(f"{told} has {len(found)} containers, and one by itself is packaged")
    if not (found[0].get("ModelDataUrl") or found[0].get("ModelDataSource")):
        raise Refusal(
            f"{told} names no model data: its image serves by itself", hint=f"run {found[0].get('Image')} as it is"
        )
    return found[0]


# What is fetched.


def _source(container: Mapping[str, Any]) -> tuple[str, bool]:
    """The URI of its data, and whether that is a folder of files."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = str(container.get("ModelDataUrl") or source.get("S3Uri"))
    return uri, source.get("CompressionType") == "None"


def _archive(
    account: Account,
    container: Mapping[str, Any],
    known: Mapping[str, Digest],
    target: Path,
    listener: Listener,
) -> str:
    """The archive's SHA-256. Raises Refusal where it is not what was registered."""
    uri, is_folder = _source(container)
    if is_folder:
        raise Refusal(f"{uri} holds files and no archive", hint="--as container takes it as it is")
    digest, etag = _fetch(account, uri, target)
    then = known.get(uri)
    if then is None or (then.sha256, then.etag) == (None, None):
        listener(Said(text=f"nobody knows whether {uri} is what was registered: nothing was recorded then"))
    elif then.doubt is not None:
        raise Refusal(f"{uri}: {then.doubt}")
    elif (then.sha256 or digest) != digest or (then.sha256 is None and then.etag != etag):
        raise Refusal(
            f"{uri} was {f'sha256 {then.sha256}' if then.sha256 else f'ETag {then.etag}'} when it was registered, and "
            f"is {f'sha256 {digest}' if then.sha256 else f'ETag {etag}'} now: it was replaced; nothing was written"
        )
    return digest


def _fetch(account: Account, uri: str, target: Path) -> tuple[str, str]:
    bucket, key = split_uri(uri)
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with answers():
        reply = unless_missing(lambda: account.client("s3").get_object(Bucket=bucket, Key=key))
        if reply is None:
            raise Refusal(f"nothing lies at {uri}", hint="`mlops models lineage` tells what was registered")
        with target.open("wb") as file:
            while chunk := reply["Body"].read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    return digest.hexdigest(), str(reply["ETag"]).strip('"')


def _unpacked(uri: str, folder: Path, archive: Path) -> None:
    try:
        unpack(archive, folder, uri)
    except StepFailed as failed:
        raise Refusal(str(failed)) from None
    finally:
        archive.unlink(missing_ok=True)


def _below(account: Account, uri: str, folder: Path) -> None:
    bucket, prefix = split_uri(uri)
    front = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    with answers():
        listed = keys(account.client("s3"), bucket, front)
    if not listed:
        raise Refusal(f"nothing lies below {uri}")
    for key in listed:
        inside = PurePosixPath(key.removeprefix(front))
        if inside.is_absolute() or ".." in inside.parts:
            raise Refusal(f"s3://{bucket}/{key} would lie outside of the model's folder")
        _fetch(account, f"s3://{bucket}/{key}", folder / inside)


# What is built.


def _folder(
    account: Account,
    wanted: Wanted,
    version: Version,
    container: Mapping[str, Any],
    known: Mapping[str, Digest],
    built: Path,
    out: Path,
    listener: Listener,
) -> Alone:
    model = built / "model"
    uri, is_folder = _source(container)
    if is_folder:
        _below(account, uri, model)
    else:
        archive = built / "model.tar.gz"
        _archive(account, container, known, archive, listener)
        _unpacked(uri, model, archive)
    variables = {str(name): str(value) for name, value in (container.get("Environment") or {}).items()}
    code = _code(account, built, variables.pop("SAGEMAKER_SUBMIT_DIRECTORY", ""))
    program = variables.get("SAGEMAKER_PROGRAM", HANDLER)
    if not (built / code / program).is_file():
        raise Refusal(
            f"there is no {program} in {code}: its image {container.get('Image')} serves this model by itself",
            hint="build FROM that image, with the model at /opt/ml/model",
        )
    files = {path.relative_to(built).as_posix(): path for path in sorted(built.rglob("*")) if path.is_file()}
    judge_size(files, wanted.largest_gb)
    judge_secrets(files, wanted.allowed)
    if wanted.base is not None and not _IMAGE.fullmatch(wanted.base):
        raise UsageError(f"{wanted.base!r} is no name of an image")
    python, pins = _needed(wanted, version, container, built / code, listener)
    base = wanted.base or _BASES[wanted.form].format(python.text)
    if "@sha256:" not in base:
        told = f"note: {base} is named by a tag, which may come to name another image; --base NAME@sha256:… does not"
        listener(Said(text=told))
    samples = _samples(account, version)
    _write(wanted, version, built, base, pins.text, code, _shown(variables, listener), samples)
    kept = tuple(
        (path.relative_to(built).as_posix(), path.stat().st_size) for path in sorted(built.rglob("*")) if path.is_file()
    )
    if wanted.form == "lambda":
        _tell_limits(sum(size for _, size in kept), python.installed, listener)
    for path in built.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whoever serves is nobody of ours
    built.chmod(0o755)
    tries = tuple(_tries(wanted.form, out, version, samples))
    return Alone(version, wanted.form, out, kept, None, base, pins.lines, tries)


def _code(account: Account, built: Path, submitted: str) -> str:
    """Where the handler lies, below the folder."""
    if submitted.startswith("s3://"):
        archive = built / "sourcedir.tar.gz"
        _fetch(account, submitted, archive)
        _unpacked(submitted, built / "code", archive)
        return "code"
    there = PurePosixPath(submitted or "/opt/ml/model/code")
    if not there.is_relative_to(_OPT_ML) or ".." in there.parts:
        raise Refusal(f"SAGEMAKER_SUBMIT_DIRECTORY is {submitted!r}: only what lies below {_OPT_ML} is packaged")
    return there.relative_to(_OPT_ML).as_posix()


def _needed(
    wanted: Wanted, version: Version, container: Mapping[str, Any], code: Path, listener: Listener
) -> tuple[BasePython, _Pins]:
    """On which Python, and what is to be installed. The local account fits with what is installed here; of any other
    only whoever fitted the model knows."""
    is_local = f":{LOCAL_ACCOUNT}:" in version.arn
    image = str(container.get("Image") or "")
    own = code / "requirements.txt"
    given = wanted.requirements or (own if own.is_file() else None)
    pins = _pinned(given, wanted.requirements is None and is_local) if given is not None else _Pins((), "")
    if is_local and wanted.requirements is None:
        found, unknown = worked_out(code, image, pins.lines)
        pins = _Pins(found, "".join(f"{line}\n" for line in found))
        if unknown:
            listener(Said(text=f"note: no package here has what the code imports: {', '.join(unknown)}"))
        listener(Said(text="note: the versions are those of this machine, where the local account fits models"))
    elif given is None:
        raise Refusal(
            f"nothing says which packages version {version.number} of {version.group} wants",
            hint=f"--requirements FILE with name==version lines, as `pip freeze` prints them in {image}",
        )
    python = python_of(image, is_local, pins.lines)
    if python is None and wanted.base is None:
        raise Refusal(
            f"the image {image} does not say which Python it has",
            hint=f"--base {_BASES[wanted.form].format('3.11')}, with the Python that the model was fitted with",
        )
    return python or BasePython("", 0), pins


def _pinned(file: Path, to_be_completed: bool) -> _Pins:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if _ELSEWHERE.match(line):
            raise Refusal(f"{file.name}:{number} names another file, which would not be there", hint="write it out")
        if VENDORS.search(line) or IN_URL.search(line):
            raise Refusal(f"{file.name}:{number} holds what looks like a secret", hint="give it where it is built")
    listed = tuple(requirements(text, file.name))
    loose = [item.said for item in listed if item.version is None]
    if loose and not to_be_completed:
        raise Refusal(
            f"{file.name} pins no version of {', '.join(loose)}: another one may be installed at each build",
            hint="write name==version lines, and give them with --requirements FILE",
        )
    return _Pins(tuple(item.said for item in listed), text if text.endswith("\n") else f"{text}\n")


def _shown(variables: Mapping[str, str], listener: Listener) -> Mapping[str, str]:
    hidden = [name for name, value in variables.items() if is_secret(name, value) or value.startswith("mlops-secret:")]
    for name in hidden:
        listener(Said(text=f"note: the variable {name} looks like a secret, and is not written: give it where it runs"))
    return {name: value for name, value in sorted(variables.items()) if name not in hidden}


def _samples(account: Account, version: Version) -> Samples:
    with answers():
        return samples_of(account, version)


def _write(
    wanted: Wanted,
    version: Version,
    built: Path,
    base: str,
    pins: str,
    code: str,
    variables: Mapping[str, str],
    samples: Samples,
) -> None:
    what = f"Version {version.number} of {version.group}: {version.arn}"
    texts = dict(_templates(wanted.form))
    texts["Dockerfile"] = texts["Dockerfile"].replace("WHAT", what).replace("BASE", base)
    texts["requirements.txt"] = pins
    texts["environment.json"] = json.dumps({"code": code, "variables": variables}, indent=2, ensure_ascii=False) + "\n"
    texts[".dockerignore"] = "Dockerfile\n.dockerignore\nsamples\n"
    serving = resources.files("mlops.run.serving")
    for name in _SERVING if wanted.form == "container" else _SERVING[-1:]:
        texts[f"mlops_serving/{name}"] = serving.joinpath(name).read_text(encoding="utf-8")
    for name, body in samples.requests.items():
        plain = PurePosixPath(name).name
        file = built / "samples" / plain
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(body)
        if wanted.form == "lambda":
            texts[f"samples/{plain}.event.json"] = json.dumps(_event(body, samples)) + "\n"
    for name, text in texts.items():
        file = built / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _event(body: bytes, samples: Samples) -> Mapping[str, Any]:
    headers = {"content-type": samples.content_type, "accept": samples.accept}
    try:
        return {"headers": headers, "body": body.decode("utf-8"), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _templates(form: str) -> Iterator[tuple[str, str]]:
    for item in resources.files("mlops.use_cases").joinpath("templates", "package", form).iterdir():
        if item.is_file():
            yield item.name, item.read_text(encoding="utf-8")


def _tell_limits(own: int, installed: int, listener: Listener) -> None:
    whole = (own + installed) / 1e6
    if whole > _IMAGE_MB:
        raise Refusal(f"the function would have {whole:,.0f} MB, and Lambda takes {_IMAGE_MB:,} MB")
    told = f"{whole:,.0f} MB with its packages" if installed else f"{whole:,.0f} MB without its packages"
    fits = whole <= _ARCHIVE_MB and installed
    limits = f"as an image Lambda takes {_IMAGE_MB:,} MB, as a .zip {_ARCHIVE_MB} MB unpacked"
    listener(Said(text=f"note: the function has {told}; {limits}{', which it keeps' if fits else ''}"))


def _tries(form: Form, out: Path, version: Version, samples: Samples) -> Iterator[str]:
    folder, tag = shlex.quote(str(out)), f"{version.group.lower()}:{version.number}"
    if form == "lambda":
        tag += "-lambda"  # two images of one version are two
    first = next((PurePosixPath(name).name for name in samples.requests), None)
    yield f"docker build -t {tag} {folder}"
    if form == "container":
        file = shlex.quote(f"@{out}/samples/{first}") if first is not None else "@FILE"
        yield f"docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8080:8080 {tag}"
        yield (
            f"curl http://127.0.0.1:8080/invocations -H 'Content-Type: {samples.content_type}' "
            f"-H 'Accept: {samples.accept}' --data-binary {file}"
        )
    else:
        file = shlex.quote(f"@{out}/samples/{first}.event.json") if first is not None else "@EVENT"
        yield f"docker run --rm -p 127.0.0.1:9000:8080 {tag}"
        yield f"curl http://127.0.0.1:9000/2015-03-31/functions/function/invocations --data-binary {file}"
