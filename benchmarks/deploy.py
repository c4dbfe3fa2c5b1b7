"""Calls, bytes and time of an upsert beside the official SDK's, of the same pipeline against the same moto server:
the first time, with nothing changed, with one line of one script changed.

    python benchmarks/deploy.py

Each upsert is a process of its own, as a person or CI starts it. Calls and bytes are counted where botocore sends them.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUCKET = "acme-ml"
TOML = """
[env.defaults]
instance = "ml.m5.large"
[env.moto]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "{bucket}"
endpoint_url = "{url}"
"""
OURS = "import sys; from mlops.cli import main; assert main(['upsert', 'pipeline.py', '--env', 'moto']) == 0"
THEIRS = """
import runpy
from botocore.client import BaseClient
call = BaseClient._make_api_call
# moto cannot simulate policies; what the SDK asks of IAM is answered here and not counted.
trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
                        "Action": "sts:AssumeRole"}]}
role = {"Role": {"Arn": "arn:aws:iam::123456789012:role/pipelines", "AssumeRolePolicyDocument": trust}}
iam = {"GetRole": role, "SimulatePrincipalPolicy": {"EvaluationResults": []}}
BaseClient._make_api_call = lambda self, name, given: iam[name] if name in iam else call(self, name, given)
runpy.run_path("sdk.py")["pipeline"].upsert(role_arn="arn:aws:iam::123456789012:role/pipelines")
"""
COUNTED = """
import atexit, json, sys
from botocore.httpsession import URLLib3Session
sent, told = URLLib3Session.send, {"calls": 0, "writes": 0, "bytes": 0}
READS = ("Describe", "List", "Get", "Head")
def counting(self, request):
    body = request.body
    size = len(body) if isinstance(body, (bytes, str)) else int(request.headers.get("Content-Length") or 0)
    target = request.headers.get("X-Amz-Target", b"")
    target = target.decode() if isinstance(target, bytes) else target
    action = target.rpartition(".")[2]
    written = not action.startswith(READS) if action else request.method in ("PUT", "DELETE")
    told["calls"] += 1
    told["writes"] += written
    told["bytes"] += size
    return sent(self, request)
URLLib3Session.send = counting
exec(sys.argv[1])
sys.stderr.write("\\nCOUNTED " + json.dumps(told) + "\\n")
"""


def upsert(folder: Path, script: str, url: str) -> dict[str, Any]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "PYTHONPATH": str(ROOT),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"{script}\n{done.stderr[-3000:]}")
    return {**json.JSONDecoder().raw_decode(done.stderr.rpartition("COUNTED ")[2])[0], "seconds": took}


def main() -> None:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{port}"
    rows: dict[str, dict[str, dict[str, Any]]] = {"ours": {}, "sdk": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for name, script in (("ours", OURS), ("sdk", THEIRS)):
            folder = Path(scratch, name)
            shutil.copytree(ROOT / "pipelines" / "breast_cancer", folder)
            shutil.copy(ROOT / "mlops.lock", folder)
            (folder / "mlops.toml").write_text(TOML.format(bucket=BUCKET, url=url))
            shutil.copy(ROOT / "tests" / "oracle" / "sdk_breast_cancer.py", folder / "sdk.py")
            urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
            urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT")).close()
            rows[name]["first"] = upsert(folder, script, url)
            rows[name]["no change"] = upsert(folder, script, url)
            with (folder / "prepare.py").open("a") as file:
                file.write("# changed\n")
            rows[name]["one script changed"] = upsert(folder, script, url)
    server.stop()
    print(f"{'':20}{'':9}{'calls':>7}{'writes':>8}{'bytes':>10}{'seconds':>9}")
    for case in rows["ours"]:
        for name in rows:
            told = rows[name][case]
            line = f"{told['calls']:7}{told['writes']:8}{told['bytes']:10,}{told['seconds']:9.2f}"
            print(f"{case if name == 'ours' else '':20}{name:9}{line}")
        ours, theirs = rows["ours"][case], rows["sdk"][case]
        ratios = [
            f"{theirs[key] / ours[key]:.2f}" if ours[key] else "-" for key in ("calls", "writes", "bytes", "seconds")
        ]
        print(f"{'':20}{'sdk/ours':9}{ratios[0]:>7}{ratios[1]:>8}{ratios[2]:>10}{ratios[3]:>9}")


if __name__ == "__main__":
    main()
