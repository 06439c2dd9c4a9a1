"""The two effects of the hand-written workflow: one write to the directory with its read-back, one mail.

They use the connections of our own connectors, so that what the benchmark compares is not two ways to speak LDAP or
SMTP; but nothing is looked up, since the DNs come with the order.
"""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.ldap.connection import Pool, filter_value
from activities.connectors.smtp import SmtpMail
from bench.handwritten.messages import Grant, Mail


class Effects:
    """The activities, with what they need."""

    def __init__(self, directory: Pool, relay: SmtpMail) -> None:
        self._directory, self._relay = directory, relay

    @activity.defn
    def add_member(self, grant: Grant) -> None:
        """Add the person to the group and see that they are in it."""
        with self._directory.session() as session:
            session.modify(grant.group, "member", add=grant.person)
            if session.read(grant.group, f"(member={filter_value(grant.person)})") is None:
                raise ApplicationError(f"{grant.person} is not in {grant.group}")

    @activity.defn
    def send_mail(self, mail: Mail) -> None:
        """Send one mail."""
        self._relay.send(to=mail.to, subject=mail.text, body=mail.text, message_id=f"<{mail.number}@example.test>")
