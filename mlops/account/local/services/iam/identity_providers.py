"""Identity providers, kept as they are made. No token is taken here, whoever signed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.iam.roles import no_entity
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND = "OpenIDConnectProvider"
_ARN = f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/"


def create_open_id_connect_provider(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if not request["Url"].startswith("https://"):
        raise Refusal("InvalidInput", "Invalid Open ID Connect Provider URL")
    name = request["Url"].removeprefix("https://").rstrip("/")
    body = {
        "Clients": list(request.get("ClientIDList") or ()),
        "Thumbprints": list(request.get("ThumbprintList") or ()),
        "Tags": list(request.get("Tags") or ()),
    }
    taken = Refusal("EntityAlreadyExists", f"Provider with url https://{name} already exists.", 409)
    resources.insert(state, KIND, name, body, taken=taken)
    return {"OpenIDConnectProviderArn": f"{_ARN}{name}", "Tags": body["Tags"]}


def get_open_id_connect_provider(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, body = _found(state, request)
    return {
        "Url": name,
        "ClientIDList": body["Clients"],
        "ThumbprintList": body["Thumbprints"],
        "CreateDate": body["CreationTime"],
        "Tags": body["Tags"],
    }


def list_open_id_connect_providers(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    rows, _ = query.page(state.store, {"MaxResults": 100})
    return {"OpenIDConnectProviderList": [{"Arn": f"{_ARN}{row['name']}"} for row in rows]}


def delete_open_id_connect_provider(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, _ = _found(state, request)
    resources.remove(state, KIND, name, f"{_ARN}{name}")
    return {}


def add_client_id(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name, body = _found(state, request)
        clients = [*body["Clients"], *({request["ClientID"]} - {*body["Clients"]})]
        resources.replace(state, KIND, name, {**body, "Clients": clients})
    return {}


def remove_client_id(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name, body = _found(state, request)
        left = [one for one in body["Clients"] if one != request["ClientID"]]
        resources.replace(state, KIND, name, {**body, "Clients": left})
    return {}


def tag_provider(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name, body = _found(state, request)
        given = {item["Key"] for item in request["Tags"]}
        tags = [*(item for item in body["Tags"] if item["Key"] not in given), *request["Tags"]]
        resources.replace(state, KIND, name, {**body, "Tags": tags})
    return {}


def untag_provider(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name, body = _found(state, request)
        left = [item for item in body["Tags"] if item["Key"] not in request["TagKeys"]]
        resources.replace(state, KIND, name, {**body, "Tags": left})
    return {}


def list_provider_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Tags": _found(state, request)[1]["Tags"], "IsTruncated": False}


def _found(state: State, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    arn = request["OpenIDConnectProviderArn"]
    name = arn.removeprefix(_ARN)
    body = resources.find(state, KIND, name)
    if body is None:
        raise no_entity(f"OpenIDConnect Provider not found for arn {arn}")
    return name, body


OPERATIONS = {
    "AddClientIDToOpenIDConnectProvider": add_client_id,
    "CreateOpenIDConnectProvider": create_open_id_connect_provider,
    "DeleteOpenIDConnectProvider": delete_open_id_connect_provider,
    "GetOpenIDConnectProvider": get_open_id_connect_provider,
    "ListOpenIDConnectProviderTags": list_provider_tags,
    "ListOpenIDConnectProviders": list_open_id_connect_providers,
    "RemoveClientIDFromOpenIDConnectProvider": remove_client_id,
    "TagOpenIDConnectProvider": tag_provider,
    "UntagOpenIDConnectProvider": untag_provider,
}
