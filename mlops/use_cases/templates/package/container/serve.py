"""The model behind GET /ping and POST /invocations, on port 8080 of all addresses, or SAGEMAKER_BIND_TO_PORT's."""

import json
import os
import runpy
import socket
from pathlib import Path

HERE = Path(__file__).resolve().parent

told = json.loads((HERE / "environment.json").read_text(encoding="utf-8"))
for name, value in told["variables"].items():
    os.environ.setdefault(name, value)
os.environ["SAGEMAKER_BASE_DIR"] = str(HERE)
os.environ["SAGEMAKER_SUBMIT_DIRECTORY"] = str(HERE / told["code"])

listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)))
os.environ["MLOPS_LISTEN_FD"] = str(listening.fileno())
runpy.run_path(str(HERE / "mlops_serving" / "entry.py"), run_name="__main__")
