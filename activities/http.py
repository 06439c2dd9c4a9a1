"""The activity that sends one HTTP request of a step. What may be sent where is the connector's business."""

from __future__ import annotations

from typing import Any

from temporalio import activity

from activities.authorship import authored
from activities.heartbeat import heartbeating
from activities.mapping import connector_errors, understood
from activities.ports import HttpSender
from catalog.http import HttpAnswer, HttpCall


class Http:
    """Sends requests."""

    def __init__(self, sender: HttpSender) -> None:
        self._sender = sender

    @activity.defn(name="http.send", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def send(self, given: dict[str, Any]) -> HttpAnswer:
        """Send a request, given as the fields of `HttpCall`, and return the answer if it is one that was expected."""
        call = understood(HttpCall, given, "http.send")
        return self._sender.send(call) if call.method == "GET" else authored(lambda: self._sender.send(call))
