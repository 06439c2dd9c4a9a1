"""The directory port over LDAP v3 (RFC 4511): see README.md for settings, rights and behaviour on faults."""

from contextlib import closing

from activities.connectors.ldap.directory import LdapDirectory
from activities.connectors.ldap.settings import LdapSettings, Security
from activities.plugins import Connector

__all__ = ["CONNECTOR", "LdapDirectory", "LdapSettings", "Security"]

CONNECTOR = Connector(port="directory", open=lambda: closing(LdapDirectory(LdapSettings())))
