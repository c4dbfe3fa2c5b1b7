"""The model as a Lambda function: it answers requests of a function URL, an API or a load balancer, and direct
invocations of {"body": …, "headers": {"content-type": …, "accept": …}}.

The model is loaded once, when the function starts.
"""

import base64
import json
import os
import traceback
from pathlib import Path

from mlops_serving.handlers import Handlers, RequestFault, chosen_by_handler, load_module

HERE = Path(__file__).resolve().parent
JSON = "application/json"
LARGEST = 6 * 1024 * 1024
"""Bytes of a reply that Lambda takes."""

told = json.loads((HERE / "environment.json").read_text(encoding="utf-8"))
for name, value in told["variables"].items():
    os.environ.setdefault(name, value)
os.environ["SAGEMAKER_BASE_DIR"] = str(HERE)
os.environ["SAGEMAKER_SUBMIT_DIRECTORY"] = str(HERE / told["code"])

HANDLERS = Handlers(
    load_module(HERE / told["code"], os.environ.get("SAGEMAKER_PROGRAM")),
    HERE / "model",
    os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON,
)


def handler(event, context):
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    content_type, accept = headers.get("content-type") or JSON, headers.get("accept") or ""
    body = event.get("body")
    try:
        if body is None:
            raise RequestFault(400, "the event has no body")
        # An object, where whoever calls directly did not write it as text.
        sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if event.get("isBase64Encoded"):
            sent = _decoded(sent)
        answer = HANDLERS.answer(sent, content_type, accept, headers)
    except RequestFault as fault:
        return _text(fault.status, str(fault))
    except Exception as fault:
        traceback.print_exc()
        chosen = chosen_by_handler(fault) or RequestFault(500, str(fault))
        return _text(chosen.status, str(chosen))
    try:
        plain, encoded = answer.body.decode("utf-8"), False
    except UnicodeDecodeError:
        plain, encoded = base64.b64encode(answer.body).decode(), True
    if len(plain) > LARGEST:
        return _text(413, f"the answer has {len(plain)} bytes, and Lambda takes {LARGEST}: ask for fewer at a time")
    return {
        "statusCode": 200,
        "headers": {"content-type": answer.content_type},
        "body": plain,
        "isBase64Encoded": encoded,
    }


def _decoded(sent):
    try:
        return base64.b64decode(sent, validate=True)
    except ValueError:
        raise RequestFault(400, "the body is not base64") from None


def _text(status, said):
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": said, "isBase64Encoded": False}
