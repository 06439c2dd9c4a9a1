"""What an LDAP result code means to us: the one table from codes (RFC 4511, appendix A) to connector errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from activities.errors import ConnectorError, NotFound, Rejected, Transient

SUCCESS = 0
UNWILLING = 53
NO_SUCH_ATTRIBUTE = 16
VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
OBJECT_CLASS_VIOLATION = 65
ENTRY_EXISTS = 68

WRONG_PASSWORD = frozenset({19, 48, INVALID_CREDENTIALS, UNWILLING})
"""How servers say no to a person's bind: 49; 48 if they have no password; 19 and 53 if 389 DS has locked them."""

_NAMING = "the attribute is part of the entry's name there; an administrator has to rename the entry"
_MEANING: dict[int, tuple[type[ConnectorError], str]] = {
    3: (Transient, "it ran out of the time the search may take"),
    4: (Rejected, "it gave only a part; raise the size limit of the service account"),
    8: (Rejected, "it demands TLS; set COMMISSARY_LDAP_SECURITY to ldaps or starttls"),
    10: (
        Rejected,
        "this server does not hold that part or takes no writes; name the right one in COMMISSARY_LDAP_URLS",
    ),
    11: (Rejected, "a limit stands in the way; lower COMMISSARY_LDAP_PAGE_SIZE or raise the service account's limits"),
    13: (Rejected, "it demands TLS; set COMMISSARY_LDAP_SECURITY to ldaps or starttls"),
    17: (Rejected, "it does not know an attribute; check the names in the COMMISSARY_LDAP_*_ATTRIBUTE settings"),
    19: (Rejected, "a rule of the directory forbids it"),
    21: (Rejected, "it does not accept the form of a value"),
    NO_SUCH_OBJECT: (NotFound, "the entry does not exist, or the service account may not see it"),
    INVALID_CREDENTIALS: (Rejected, "check COMMISSARY_LDAP_BIND_DN and COMMISSARY_LDAP_BIND_PASSWORD"),
    50: (Rejected, "the service account lacks the right; see activities/connectors/ldap/README.md for those it needs"),
    51: (Transient, "it is busy"),
    52: (Transient, "it is shutting down or starting"),
    UNWILLING: (Rejected, "a rule of the server forbids it"),
    64: (Rejected, _NAMING),  # OpenLDAP's answer
    67: (Rejected, _NAMING),
    OBJECT_CLASS_VIOLATION: (
        Rejected,
        "its schema forbids it; if the group would be left without a member, set COMMISSARY_LDAP_PLACEHOLDER_MEMBER",
    ),
}
_UNKNOWN = (Rejected, "see the server's log")


@dataclass(frozen=True)
class Result:
    """How a server answered one operation: resultCode, its name, and the server's own words."""

    code: int
    name: str
    message: str

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Self:
        """Take the result out of ldap3's answer."""
        return cls(int(answer["result"]), str(answer["description"]), str(answer.get("message") or ""))

    def already(self, *, present: bool) -> bool:
        """Return whether it says that the value to add was there, or the value to remove was not.

        OpenLDAP says 20 and 16; Active Directory says 68 and 53 with the Windows error 1377 (hexadecimal 561).
        """
        if present:
            return self.code in {VALUE_EXISTS, ENTRY_EXISTS}
        return self.code == NO_SUCH_ATTRIBUTE or (self.code == UNWILLING and "00000561" in self.message)

    def error(self, doing: str) -> ConnectorError:
        """Return the error this result stands for; `doing` says what was tried and where."""
        kind, advice = _MEANING.get(self.code, _UNKNOWN)
        words = f": {self.message}" if self.message else ""
        return kind(f"{doing}: the directory answered {self.name} ({self.code}){words}; {advice}")
