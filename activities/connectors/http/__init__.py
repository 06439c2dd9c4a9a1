"""Requests to HTTP services that the settings allow: see README.md for settings and behaviour on faults."""

from contextlib import closing

from activities.connectors.http.sender import HttpxSender
from activities.connectors.http.settings import HttpSettings
from activities.plugins import Connector

__all__ = ["CONNECTOR", "HttpSettings", "HttpxSender"]

CONNECTOR = Connector(port="http", open=lambda: closing(HttpxSender(HttpSettings())))
