"""The mail port over SMTP (RFC 5321): see README.md for settings and behaviour on faults."""

from activities.connectors.smtp.mail import SmtpMail
from activities.connectors.smtp.settings import Security, SmtpSettings

__all__ = ["Security", "SmtpMail", "SmtpSettings"]
