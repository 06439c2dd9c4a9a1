"""The mail port over SMTP (RFC 5321): see README.md for settings and behaviour on faults."""

from contextlib import nullcontext

from activities.connectors.smtp.mail import SmtpMail
from activities.connectors.smtp.settings import Security, SmtpSettings
from activities.plugins import Connector

__all__ = ["CONNECTOR", "Security", "SmtpMail", "SmtpSettings"]

CONNECTOR = Connector(port="mail", open=lambda: nullcontext(SmtpMail(SmtpSettings())))
