"""An account with models and an endpoint, for tests of serving."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount

INFERENCE = """
import os
def model_fn(folder):
    return {name!r}
def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()
def predict_fn(text, model):
    if text == "boom":
        raise ValueError("no such word")
    if text == "die":
        os._exit(9)
    return model + ": " + text
def output_fn(answer, accept):
    return answer
"""


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{text}")


class World:
    """One account with models, and whatever is served there stopped in the end."""

    def __init__(self, local: LocalAccount) -> None:
        self.local = local
        self.sagemaker = local.client("sagemaker")
        self.runtime = local.client("sagemaker-runtime")

    def model(self, name: str, code: str | None = None, **environment: str) -> None:
        text = (code or INFERENCE.format(name=name)).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        self.local.client("s3").put_object(Bucket="mlops-tests", Key=f"{name}.tar.gz", Body=packed.getvalue())
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={
                "Image": IMAGE,
                "ModelDataUrl": f"s3://mlops-tests/{name}.tar.gz",
                "Environment": {"SAGEMAKER_PROGRAM": "inference.py", **environment},
            },
        )

    def pipeline(self, name: str, *parts: str, **more: Any) -> None:
        """A model whose containers are those of the models ``parts``."""
        containers = [self.sagemaker.describe_model(ModelName=part)["PrimaryContainer"] for part in parts]
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers, **more)

    def config(self, name: str, *variants: tuple[str, str, float], shadow: str | None = None) -> None:
        more = {"ShadowProductionVariants": [variant("Shadow", shadow, 1.0)]} if shadow else {}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant(*item) for item in variants], **more
        )

    def settled(self, seconds: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName="door")
            if found["EndpointStatus"] not in ("Creating", "Updating"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"not settled: {found}")

    def serve(self, config: str) -> dict[str, Any]:
        self.sagemaker.create_endpoint(EndpointName="door", EndpointConfigName=config)
        return self.settled()

    def update(self, config: str, **more: Any) -> dict[str, Any]:
        self.sagemaker.update_endpoint(EndpointName="door", EndpointConfigName=config, **more)
        return self.settled()

    @property
    def port(self) -> int:
        row = self.local.state.store.one("SELECT body FROM resource WHERE kind = 'Endpoint' AND name = 'door'")
        assert row is not None
        return int(json.loads(row["body"])["Port"])

    def ask(self, text: str = "hello", **more: Any) -> str:
        reply = self.runtime.invoke_endpoint(EndpointName="door", Body=text, ContentType="text/plain", **more)
        return f"{reply['InvokedProductionVariant']} {reply['Body'].read().decode()}"

    def close(self) -> None:
        for item in self.sagemaker.list_endpoints()["Endpoints"]:
            if item["EndpointStatus"] != "Deleting":
                self.sagemaker.delete_endpoint(EndpointName=item["EndpointName"])


def variant(name: str, model: str, weight: float, count: int = 1) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": weight,
    }
