"""Jobs of images of one's own by a container engine: what is asked of it, by a program in its place that writes down
its arguments; and by podman, where that is."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, processing, step, tar_gz, training

from mlops.knowledge.container_engine import VARIABLE, identity, is_own
from mlops.knowledge.this_machine import of_step
from mlops.run.abandoned_containers import hold, remove_abandoned

ENGINE = """#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
"image inspect") test "$5" = own:1 && echo sha256:abc; exit ;;
rm*) echo "$@" >> "$here/removed"; exit ;;
ps*) test -f "$here/labels" && cut -f1 "$here/labels"; exit ;;
inspect*) cut -f2 "$here/labels"; exit ;;
esac
for word in "$@"; do
    echo "$word" >> "$here/words"
    case "$word" in 127.0.0.1:*:8080) port=${word#127.0.0.1:}; port=${port%:8080} ;; esac
done
env > "$here/variables"
while [ "${1#*:/opt/ml}" = "$1" ]; do shift; done
ml=${1%:/opt/ml}
. "$here/body"
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its folder, with a file ``body`` to come: what a container does, its ``/opt/ml`` being ``$ml``."""
    folder = tmp_path / "engine"
    folder.mkdir()
    (folder / "podman").write_text(ENGINE, encoding="utf-8")
    (folder / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv(VARIABLE, "podman")
    return folder


def words(engine: Path) -> list[str]:
    return (engine / "words").read_text(encoding="utf-8").splitlines()


def fit(account: Account, image: str = "own:1", **changes: Any) -> Any:
    account.objects.write("s3://bucket/train/x.csv", "1")
    made = training(account, "Fit", {}, channels={"train": "s3://bucket/train"}, **changes)
    arguments = {**made.arguments, "HyperParameters": {"depth": "3"}}  # type: ignore[dict-item]
    arguments["AlgorithmSpecification"] = {"TrainingImage": image, **changes.get("own", {})}
    arguments.pop("own", None)
    return step("Training", "Fit", arguments)


def test_a_training_job_has_the_contract(account: Account, engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (engine / "body").write_text(
        'cat "$ml/input/config/hyperparameters.json"; cp "$ml/input/data/train/x.csv" "$ml/model/"'
    )
    monkeypatch.setenv("HERE_TOO", "of this process")
    wanted = {"MINE": "a b", "PATH": "/inside", "HERE_TOO": "a secret", "DOCKER_HOST": "tcp://elsewhere:2375"}
    made = fit(account, Environment=wanted, EnableNetworkIsolation=True)
    assert account.run(made) == "Succeeded", account.journal.last("Fit")
    asked = words(engine)
    assert asked[:3] == ["run", "--rm", "--name"] and asked[-2:] == ["own:1", "train"]
    assert asked[asked.index("--network") + 1] == "none" and asked[asked.index("--pull") + 1] == "never"
    # What would lead the engine itself is given by its value; nothing else stands where a list of processes shows it.
    assert {"MINE", "TRAINING_JOB_NAME", "HERE_TOO", "PATH=/inside", "DOCKER_HOST=tcp://elsewhere:2375"} <= set(asked)
    assert "a b" not in " ".join(asked) and "a secret" not in " ".join(asked)
    given = (engine / "variables").read_text(encoding="utf-8").splitlines()
    assert {"MINE=a b", "HERE_TOO=a secret"} <= set(given) and not any("elsewhere" in line for line in given)
    assert '{"depth": "3"}' in account.journal.log("Fit")
    response = account.journal.last("Fit").response
    assert response["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("own", "entrypoint", "last"),
    [
        ({}, None, ["train"]),
        ({"ContainerEntrypoint": ["python", "x.py"]}, "python", ["x.py"]),
        ({"ContainerEntrypoint": ["python"], "ContainerArguments": ["-v"]}, "python", ["-v"]),
        ({"ContainerArguments": ["-v"]}, None, ["-v"]),
    ],
    ids=["train is added", "entrypoint", "both", "arguments alone"],
)
def test_entrypoint_and_arguments_are_dockers(
    account: Account, engine: Path, own: dict[str, Any], entrypoint: str | None, last: list[str]
) -> None:
    (engine / "body").write_text("true")
    assert account.run(fit(account, own=own)) == "Succeeded"
    asked = words(engine)
    assert asked[asked.index("own:1") + 1 :] == last
    assert (asked[asked.index("--entrypoint") + 1] if "--entrypoint" in asked else None) == entrypoint
    assert "--network" not in asked


def test_a_processing_job_without_an_entrypoint_runs_the_images_own(account: Account, engine: Path) -> None:
    (engine / "body").write_text('echo done > "$ml/processing/output/out/x"; exit 0')
    made = processing(account, "P", "", outputs=("out",), AppSpecification={"ImageUri": "own:1"})
    assert account.run(made) == "Succeeded", account.journal.last("P")
    assert words(engine)[-1] == "own:1"
    assert account.objects.read("s3://bucket/out/P/out/x") == b"done\n"


@pytest.mark.parametrize(
    ("body", "limit", "said"),
    [
        pytest.param("echo so far; exit 7", 600, "exit code 7: ", id="exit code"),
        pytest.param(
            'trap "exit 0" TERM; while true; do sleep 0.05; done',
            1,
            "it ran longer than MaxRuntimeInSeconds = 1",
            id="SIGTERM",
        ),
        pytest.param(
            'trap "" TERM; while true; do sleep 0.05; done',
            1,
            "it ran longer than MaxRuntimeInSeconds = 1",
            id="SIGKILL",
            marks=pytest.mark.proof("images"),
        ),
    ],
)
def test_how_it_ends(account: Account, engine: Path, body: str, limit: int, said: str) -> None:
    (engine / "body").write_text(body)
    assert account.run(fit(account, StoppingCondition={"MaxRuntimeInSeconds": limit})) == "Failed"
    failure = account.journal.last("Fit").failure
    assert failure is not None and failure.startswith(said)
    removed = (engine / "removed").read_text(encoding="utf-8").splitlines()
    assert len(removed) == (2 if 'trap ""' in body else 1)  # before it starts, and when it is killed


@pytest.mark.parametrize(
    ("image", "asked", "said"),
    [
        ("own:1", "podman", None),
        ("other:1", "podman", "podman has no image other:1 here: `podman pull other:1` brings it"),
        ("own:1", "no-such-engine", "MLOPS_CONTAINER_ENGINE is 'no-such-engine', which is no program on PATH"),
        ("own:1", "", "brings its own algorithm, which cannot run on this machine"),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "podman", "nothing runs"),
    ],
)
def test_what_keeps_it_from_running_is_known_before(
    engine: Path, monkeypatch: pytest.MonkeyPatch, image: str, asked: str, said: str | None
) -> None:
    monkeypatch.setenv(VARIABLE, asked)
    request = {
        "AlgorithmSpecification": {"TrainingImage": image},
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "ResourceConfig": {"InstanceCount": 1},
    }
    told = [item.message for item in of_step("Training", "training", request)]
    assert told == [] if said is None else [said in message for message in told] == [True]
    assert any("MLOPS_CONTAINER_ENGINE=podman" in message for message in told) is (asked == "")


def test_an_image_that_is_built_again_is_another_one(engine: Path) -> None:
    assert (identity("own:1"), identity("new:1")) == ("sha256:abc", None)
    (engine / "podman").write_text("#!/bin/sh\necho sha256:def\n", encoding="utf-8")
    assert (identity("own:1"), identity("new:1")) == ("sha256:def", "sha256:def")


def test_what_an_engine_would_take_for_an_option_is_no_image() -> None:
    assert is_own("own:1") and not is_own("--volume=/:/host")


SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.end_headers(); self.wfile.write(b"<" + body + b">")
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def ask(account: Account, model: bytes, **environment: str) -> Any:
    account.objects.put([model], "s3://bucket/model.tar.gz")
    container = {"Image": "own:1", "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": environment}
    account.registry.model("m", PrimaryContainer=container)
    account.objects.write("s3://bucket/in/a.csv", "1")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}
    request = {
        "ModelName": "m",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://bucket/answers"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return step("Transform", "Ask", request)


def test_a_container_serves_behind_a_port(account: Account, engine: Path) -> None:
    (engine / "server.py").write_text(SERVER, encoding="utf-8")
    (engine / "body").write_text(f'exec {sys.executable} "$here/server.py" "$port"')
    assert account.run(ask(account, tar_gz({"weights": "7"}), MINE="x")) == "Succeeded", account.journal.last("Ask")
    assert account.objects.read("s3://bucket/answers/a.csv.out") == b"<1>"
    asked = words(engine)
    assert asked[-2:] == ["own:1", "serve"] and asked[asked.index("--publish") + 1].startswith("127.0.0.1:")
    assert {"MINE", "SAGEMAKER_BATCH"} <= set(asked)


def test_what_an_owner_left_is_removed_by_who_comes_next(engine: Path, tmp_path: Path) -> None:
    owners = [tmp_path / name for name in ("lives", "died", "gone")]
    for owner in owners[:2]:
        owner.mkdir()
    told = [{"mlops.owner": str(owner)} for owner in owners] + [{"somebody": "else's"}, {"mlops.owner": "../nothing"}]
    (engine / "labels").write_text("".join(f"id-{number}\t{json.dumps(item)}\n" for number, item in enumerate(told)))
    held = hold(owners[0])
    remove_abandoned()
    assert (engine / "removed").read_text().splitlines() == ["rm --force id-1", "rm --force id-2"]
    os.close(held)
    remove_abandoned()
    assert (engine / "removed").read_text().splitlines()[2:] == [
        "rm --force id-0",
        "rm --force id-1",
        "rm --force id-2",
    ]


def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An image of busybox in a storage of its own; skipped where podman starts nothing."""
    found, busybox = shutil.which("podman"), shutil.which("busybox")
    if found is None or busybox is None:
        pytest.skip("podman and busybox are not both here")
    runtime = next((name for name in ("crun", "runc") if shutil.which(name)), "crun")
    configured = tmp_path / "containers.conf"
    storage = tmp_path / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n', encoding="utf-8"
    )
    monkeypatch.setenv("CONTAINERS_CONF", str(configured))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    root = tmp_path / "root.tar"
    with tarfile.open(root, "w") as packed:
        packed.add(os.path.realpath(busybox), "bin/busybox")
        for name in ("sh", "cat", "echo", "sleep", "hostname", "head", "nc", "tr"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            packed.addfile(link)
    said = ""
    for runtime in ("crun", "runc"):
        configured.write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\ncgroupns = "host"\n'
            f'[engine]\nruntime = "{runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
            encoding="utf-8",
        )
        change = ["--change", 'ENTRYPOINT ["/bin/sh", "-c", "exec /bin/sh $RUN $0"]']
        subprocess.run([found, "import", *change, str(root), "own:1"], capture_output=True, check=False)
        tried = [found, "run", "--rm", "--network", "none", "--entrypoint", "/bin/echo", "own:1", "hello"]
        done = subprocess.run(tried, capture_output=True, text=True, check=False)
        said = done.stderr
        if done.returncode == 0:
            return found
    pytest.skip(f"podman starts no container here: {said.strip()[-200:]}")


@pytest.mark.proof("images")
def test_podman_runs_a_container(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = podman(tmp_path, monkeypatch)
    monkeypatch.setenv(VARIABLE, "podman")
    script = """
echo "args $*"; echo "mine $MINE"; hostname; cat /opt/ml/input/config/hyperparameters.json
echo model > /opt/ml/model/m.txt
if [ "$STAY" = yes ]; then trap 'echo told; exit 0' TERM; while true; do sleep 0.1; done; fi
"""
    account.objects.write("s3://bucket/train/run.sh", script)
    isolated, run = {"EnableNetworkIsolation": True}, {"RUN": "/opt/ml/input/data/train/run.sh"}
    assert account.run(fit(account, Environment={"MINE": "a b", **run}, **isolated)) == "Succeeded", (
        account.journal.log("Fit")
    )
    log = account.journal.log("Fit")
    assert all(line in log for line in ("args train", "mine a b", "algo-1", json.dumps({"depth": "3"})))
    late = fit(account, Environment={"STAY": "yes", **run}, StoppingCondition={"MaxRuntimeInSeconds": 3}, **isolated)
    assert account.run(late) == "Failed" and "told" in account.journal.log("Fit")
    left = subprocess.run([program, "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    assert left.stdout.strip() == ""


SERVE = """trap 'kill $!; exit 0' TERM
nc -ll -p 8080 -e /bin/sh /opt/ml/model/answer.sh &
wait
"""
ANSWER = r"""length=0
read -r method path version
while read -r name value; do
    value=$(echo "$value" | tr -d '\r')
    [ -z "$(echo "$name" | tr -d '\r')" ] && break
    case "$name" in [Cc]ontent-[Ll]ength:) length=$value ;; esac
done
answer="$path $(head -c "$length")"
printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "${#answer}" "$answer"
"""
OWNER = """
import sys, time
from pathlib import Path
from mlops.run.containers import serving
from mlops.run.serving.model_server import ModelServer

folder = Path(sys.argv[1])
environment = {"RUN": "/opt/ml/model/serve.sh"}
server = ModelServer.launch(folder / "ml" / "model", environment, folder / "log.txt", contained=serving("own:1"))
server.wait_until_healthy(60)
print(server.port, flush=True)
time.sleep(600)
"""


@pytest.mark.proof("images")
@pytest.mark.parametrize("killed", ["the owner", "all that it started"])
def test_podman_serves_behind_a_port_and_nothing_stays_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    program = podman(tmp_path, monkeypatch)
    monkeypatch.setenv(VARIABLE, "podman")
    model = tmp_path / "served" / "ml" / "model"
    model.mkdir(parents=True)
    (model / "serve.sh").write_text(SERVE)
    (model / "answer.sh").write_text(ANSWER)
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "served")], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    port = owner.stdout.readline().strip()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", b"1,2", method="POST")
    assert urllib.request.urlopen(asked).read() == b"/invocations 1,2"
    victims = [owner.pid, *(started_by(owner.pid) if killed == "all that it started" else [])]
    for victim in reversed(victims):
        with contextlib.suppress(ProcessLookupError):  # it has ended because another did
            os.kill(victim, signal.SIGKILL)
    owner.communicate()
    remove_abandoned()
    listed = subprocess.run([program, "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == ""
    with pytest.raises(OSError):
        urllib.request.urlopen(asked, timeout=5)


def started_by(process: int) -> list[int]:
    """By it, and by what it started."""
    children = [
        int(child)
        for thread in Path(f"/proc/{process}/task").glob("*/children")
        for child in thread.read_text().split()
    ]
    return [item for child in children for item in (child, *started_by(child))]
