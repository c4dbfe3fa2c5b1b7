"""What botocore works out anew for each session and client, and what always comes out the same, is worked out once.

Tests make thousands of both; half of what the smaller ones did was this.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.client
import botocore.hooks
import botocore.session


def work_out_once() -> None:
    # The models of services: a quarter of a second for SageMaker's.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    # By inspection of each of its handlers, a hundred a session.
    botocore.hooks.accepts_kwargs = cache(botocore.hooks.accepts_kwargs)
    _old_names_of_events()
    _models_and_classes_of_clients()


def _old_names_of_events() -> None:
    aliaser: Any = botocore.hooks.EventAliaser
    plain, names = aliaser.__init__, dict[str, str]()

    def made(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        plain(self, event_emitter, event_aliases)
        if self._event_aliases is botocore.hooks.EVENT_ALIASES:
            self._alias_name_cache = names

    aliaser.__init__ = made


def _models_and_classes_of_clients() -> None:
    creator: Any = botocore.client.ClientCreator
    load, make = creator._load_service_model, creator._create_client_class
    models: dict[tuple[object, ...], Any] = {}
    classes: dict[tuple[object, ...], Any] = {}

    def model(self: Any, service_name: str, api_version: str | None = None) -> Any:
        key = (self._loader, service_name, api_version)
        if key not in models:
            models[key] = load(self, service_name, api_version)
        return models[key]

    def client_class(self: Any, service_name: str, service_model: Any) -> Any:
        added, bases = dict[str, Any](), list[type]()
        # By boto3 in its own sessions.
        event = f"creating-client-class.{service_model.service_id.hyphenize()}"
        self._event_emitter.emit(event, class_attributes=added, base_classes=bases)
        key = (service_model, frozenset(added), tuple(bases))
        if key not in classes:
            classes[key] = make(self, service_name, service_model)
        return classes[key]

    creator._load_service_model, creator._create_client_class = model, client_class
