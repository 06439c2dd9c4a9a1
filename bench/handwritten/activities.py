"""What the hand-written workflows do: one write to the directory with its read-back, one mail, one decision on record.

They use the connections of our own connectors, so that what the benchmark compares is not two ways to speak LDAP or
SMTP; but nothing is looked up, since the DNs come with the order. Decisions go to the same database as ours.
"""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.ldap.connection import Pool, filter_value
from activities.connectors.smtp import SmtpMail
from bench.handwritten.decisions import Decisions
from bench.handwritten.messages import Grant, Mail, Recorded


class Effects:
    """The activities, with what they need."""

    def __init__(self, directory: Pool, relay: SmtpMail, decisions: Decisions) -> None:
        self._directory, self._relay, self._decisions = directory, relay, decisions

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

    @activity.defn
    def record_decision(self, recorded: Recorded) -> None:
        """Commit one decision."""
        self._decisions.record(recorded)
