"""Databases and tables: names and columns. Crawlers, jobs and partitions are not there.

Names are in lower case, as Glue keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

DATABASE, TABLE = "GlueDatabase", "GlueTable"


def create_database(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DatabaseInput"]["Name"].lower()
    taken = Refusal("AlreadyExistsException", "Database already exists.")
    resources.insert(state, DATABASE, name, {**request["DatabaseInput"], "Name": name}, taken=taken)
    return {}


def get_database(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Database": _database(state, request["Name"])}


def get_databases(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = Query("resource", ("name",), False).where("kind = ?", DATABASE).page(state.store, request)
    return {"DatabaseList": [_told_database(resources.body_of(row)) for row in rows], "NextToken": token}


def delete_database(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """With its tables, as Glue does it."""
    name = request["Name"].lower()
    with state.store.transaction() as connection:
        _database(state, name)
        connection.execute("DELETE FROM resource WHERE kind = ? AND name GLOB ?", (TABLE, f"{_escaped(name)}/*"))
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (DATABASE, name))
    return {}


def create_table(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    given = request.get("TableInput")
    if given is None:
        raise Refusal("InvalidInputException", "TableInput is wanted; open table formats are not kept here.")
    database, name = request["DatabaseName"].lower(), given["Name"].lower()
    with state.store.transaction():
        _database(state, database)
        taken = Refusal("AlreadyExistsException", "Table already exists.")
        resources.insert(state, TABLE, f"{database}/{name}", {**given, "Name": name, "VersionId": "0"}, taken=taken)
    return {}


def get_table(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Table": table(state, request["DatabaseName"], request["Name"])}


def get_tables(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    database = request["DatabaseName"].lower()
    _database(state, database)
    query = Query("resource", ("name",), False).where("kind = ?", TABLE)
    rows, token = query.where("name GLOB ?", f"{_escaped(database)}/*").page(state.store, request)
    return {"TableList": [_told_table(database, resources.body_of(row)) for row in rows], "NextToken": token}


def update_table(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    given = request.get("TableInput") or {}
    database, name = request["DatabaseName"].lower(), str(request.get("Name") or given.get("Name") or "").lower()
    with state.store.transaction():
        before = table(state, database, name)
        version = str(int(before["VersionId"]) + 1)
        resources.replace(state, TABLE, f"{database}/{name}", {**given, "Name": name, "VersionId": version})
    return {}


def delete_table(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    database, name = request["DatabaseName"].lower(), request["Name"].lower()
    with state.store.transaction() as connection:
        table(state, database, name)
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (TABLE, f"{database}/{name}"))
    return {}


def table(state: State, database: str, name: str) -> Mapping[str, Any]:
    """Raises Refusal where there is none."""
    _database(state, database)
    body = resources.find(state, TABLE, f"{database.lower()}/{name.lower()}")
    if body is None:
        raise Refusal("EntityNotFoundException", f"Entity Not Found: table {name} of {database}")
    return _told_table(database.lower(), body)


def _database(state: State, name: str) -> Mapping[str, Any]:
    body = resources.find(state, DATABASE, name.lower())
    if body is None:
        raise Refusal("EntityNotFoundException", f"Database {name} not found.")
    return _told_database(body)


def _told_database(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**body, "CreateTime": body["CreationTime"], "CatalogId": ACCOUNT_ID}


def _told_table(database: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        **body,
        "DatabaseName": database,
        "CreateTime": body["CreationTime"],
        "UpdateTime": body["LastModifiedTime"],
        "CatalogId": ACCOUNT_ID,
    }


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


OPERATIONS = {
    "CreateDatabase": create_database,
    "CreateTable": create_table,
    "DeleteDatabase": delete_database,
    "DeleteTable": delete_table,
    "GetDatabase": get_database,
    "GetDatabases": get_databases,
    "GetTable": get_table,
    "GetTables": get_tables,
    "UpdateTable": update_table,
}
