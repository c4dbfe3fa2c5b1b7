"""Repositories by name, without images: clients ask whether one is there, and for a word to log in with."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State, moment

KIND = "Repository"
_LASTS = timedelta(hours=12)
_KEPT = ("encryptionConfiguration", "imageScanningConfiguration", "imageTagMutability")
_DEFAULTS = {"imageTagMutability": "MUTABLE"}


def create_repository(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["repositoryName"]
    taken = Refusal(
        "RepositoryAlreadyExistsException",
        f"The repository with name '{name}' already exists in the registry with id '{ACCOUNT_ID}'",
    )
    body = {**_DEFAULTS, **{member: request[member] for member in _KEPT if member in request}}
    resources.insert(state, KIND, name, body, taken=taken)
    return {"repository": _told(state, name, _found(state, name))}


def describe_repositories(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    names = request.get("repositoryNames")
    if names:
        return {"repositories": [_told(state, name, _found(state, name)) for name in names]}
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    asked = {"MaxResults": request.get("maxResults"), "NextToken": request.get("nextToken")}
    rows, token = query.page(state.store, asked)
    return {
        "repositories": [_told(state, row["name"], resources.body_of(row)) for row in rows],
        "nextToken": token,
    }


def describe_images(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["repositoryName"]
    _found(state, name)
    for image in request.get("imageIds") or ():
        told = ", ".join(f"{key}:'{value}'" for key, value in sorted(image.items()))
        raise Refusal(
            "ImageNotFoundException",
            f"The image with imageId {{{told}}} does not exist within the repository with name '{name}' in the "
            f"registry with id '{ACCOUNT_ID}': the local account has no images",
        )
    return {"imageDetails": []}


def delete_repository(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["repositoryName"]
    with state.store.transaction():
        told = _told(state, name, _found(state, name))
        resources.remove(state, KIND, name, told["repositoryArn"])
    return {"repository": told}


def get_authorization_token(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A dummy, for a registry that nobody runs: what logs in with it anywhere is refused there."""
    registries = request.get("registryIds") or [ACCOUNT_ID]
    told = {
        "authorizationToken": b64encode(b"AWS:mlopslocal").decode(),
        "expiresAt": moment(datetime.now(UTC) + _LASTS),
    }
    return {"authorizationData": [{**told, "proxyEndpoint": f"https://{_host(state, item)}"} for item in registries]}


def _found(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise Refusal(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT_ID}'",
        )
    return body


def _told(state: State, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "repositoryArn": f"arn:aws:ecr:{state.region}:{ACCOUNT_ID}:repository/{name}",
        "registryId": ACCOUNT_ID,
        "repositoryName": name,
        "repositoryUri": f"{_host(state, ACCOUNT_ID)}/{name}",
        "createdAt": body["CreationTime"],
        **{member: body[member] for member in _KEPT if member in body},
    }


def _host(state: State, registry: str) -> str:
    return f"{registry}.dkr.ecr.{state.region}.amazonaws.com"


OPERATIONS = {
    "CreateRepository": create_repository,
    "DeleteRepository": delete_repository,
    "DescribeImages": describe_images,
    "DescribeRepositories": describe_repositories,
    "GetAuthorizationToken": get_authorization_token,
}
