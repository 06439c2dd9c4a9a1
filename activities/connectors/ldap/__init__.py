"""The directory port over LDAP v3 (RFC 4511): see README.md for settings, rights and behaviour on faults."""

from activities.connectors.ldap.directory import LdapDirectory
from activities.connectors.ldap.settings import LdapSettings, Security

__all__ = ["LdapDirectory", "LdapSettings", "Security"]
