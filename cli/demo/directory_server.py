"""The demo's directory: an LDAP server in one process, seeded from company.ldif. For loopback only.

It takes simple binds, searches, changes of entries and new passwords (RFC 3062); people may read, accounts below
``ou=services`` may write, and a connection that did not bind sees the root entry only. Every change is in the file
before it is answered, so ``kill -9`` loses nothing. ldaptor brings the protocol, the filters and the tree; this module
brings what ldaptor leaves open: rights, the result codes of RFC 4511, size limits and a file. It has no schema but one
rule, that a groupOfNames has a member, and no TLS.

Run it as ``python -m cli.demo.directory_server --port 3890 --data var/demo``.
"""

# ruff: noqa: N802, N803, N815  # ldaptor finds its hooks and arguments by these names

from __future__ import annotations

import argparse
import hmac
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ldaptor import delta, entry, inmemory, interfaces
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap import distinguishedname, ldaperrors, ldapserver, ldif, ldifprotocol
from twisted.internet import defer, error, protocol, reactor
from twisted.python import components, log

SEED = Path(__file__).with_name("company.ldif")
PAGED_RESULTS = b"1.2.840.113556.1.4.319"
SERVICES = ",ou=services,"
PASSWORD = b"userPassword"
FIXED = {b"userpassword", b"entryuuid", b"objectclass"}
"""What a modification may not touch: there are no rules here that would keep these right."""


class Entry(inmemory.ReadOnlyInMemoryLDAPEntry):  # type: ignore[misc]  # ldaptor has no types
    """An entry that keeps its passwords where no search, comparison or answer can reach them."""

    def __init__(self, dn: str | bytes, attributes: Any = None) -> None:
        super().__init__(dn, attributes or {})
        self._passwords: set[bytes] = set(self._attributes.pop(PASSWORD, ()))

    def _bind(self, password: bytes) -> Entry:
        if not any(hmac.compare_digest(password, own) for own in self._passwords):
            raise ldaperrors.LDAPInvalidCredentials
        return self

    def search(
        self,
        *,
        filterObject: Any,
        scope: int,
        sizeLimit: int = 0,
        callback: Callable[[Entry], None] | None = None,
        **_: object,
    ) -> defer.Deferred[Any]:
        """Give the matching entries to `callback`, or return them; as ldaptor's, with a size limit."""
        found = [candidate for candidate in self._within(scope) if candidate.match(filterObject)]
        if callback is None:
            return defer.succeed(found)
        for one in found[: sizeLimit or None]:
            callback(one)
        if sizeLimit and len(found) > sizeLimit:
            raise ldaperrors.LDAPSizeLimitExceeded
        return defer.succeed(None)

    def _within(self, scope: int) -> Iterable[Entry]:
        if scope != pureldap.LDAP_SCOPE_singleLevel:
            yield self
        if scope != pureldap.LDAP_SCOPE_baseObject:
            for child in self._children.values():
                deeper = scope == pureldap.LDAP_SCOPE_wholeSubtree
                yield from child._within(scope) if deeper else (child,)  # noqa: SLF001  # the same class

    def below(self) -> list[Entry]:
        """Return the entries right below."""
        return list(self._children.values())

    def match(self, filter: Any) -> bool:  # noqa: A002  # ldaptor's name
        """Return whether the filter holds; a value that is no UTF-8 equals nothing here."""
        try:
            return bool(super().match(filter))
        except UnicodeDecodeError:
            return False

    def content(self) -> dict[bytes, list[bytes]]:
        """Return a copy of the attributes and their values, without the passwords."""
        return {name: sorted(values) for name, values in self._attributes.items()}

    def put(self, content: dict[bytes, list[bytes]]) -> None:
        """Make `content` the whole of the attributes."""
        self._attributes.clear()
        for name, values in content.items():
            self[name] = values

    @property
    def passwords(self) -> set[bytes]:
        """The passwords, to be changed in place."""
        return self._passwords

    def lines(self) -> bytes:
        """Return the entry as LDIF, with its passwords."""
        return bytes(ldif.asLDIF(self.dn.getText(), [*self.items(), (PASSWORD, sorted(self._passwords))]))


def modified(content: dict[bytes, list[bytes]], changes: Sequence[Any]) -> dict[bytes, list[bytes]]:
    """Return the attributes after all `changes` (RFC 4511, section 4.6); values compare without regard to case.

    Raises:
        LDAPException: one of them cannot be made; the result codes are those of OpenLDAP.
    """
    after = {name.lower(): (name, {value.lower(): value for value in values}) for name, values in content.items()}
    for change in changes:
        key = change.key.lower()
        if key in FIXED:
            raise ldaperrors.LDAPUnwillingToPerform(b"this directory does not change " + change.key)
        name, values = after.pop(key, (change.key, {}))
        values = _changed(values, change)
        if values:
            after[key] = (name, values)
    result = {name: sorted(values.values()) for name, values in after.values()}
    check_schema(result)
    return result


def check_schema(content: dict[bytes, list[bytes]]) -> None:
    """Return if an entry is as the one rule here asks.

    Raises:
        LDAPObjectClassViolation: a groupOfNames without a member.
    """
    names = {name.lower() for name in content}
    classes = {value.lower() for value in content.get(b"objectClass", [])}
    if b"groupofnames" in classes and b"member" not in names:
        raise ldaperrors.LDAPObjectClassViolation(b"groupOfNames requires attribute 'member'")


def _changed(present: dict[bytes, bytes], change: Any) -> dict[bytes, bytes]:
    named = {value.lower(): value for value in change}
    if isinstance(change, delta.Replace):
        return named
    if isinstance(change, delta.Add):
        if named.keys() & present.keys():
            raise ldaperrors.LDAPAttributeOrValueExists(change.key + b": value exists")
        return present | named
    if not present or named.keys() - present.keys():
        raise ldaperrors.LDAPNoSuchAttribute(change.key + b": no such value")
    return {key: value for key, value in present.items() if named and key not in named}


class _Reader(ldifprotocol.LDIF):  # type: ignore[misc]  # ldaptor has no types
    """Collects the entries of an LDIF text."""

    def __init__(self) -> None:
        self.entries: list[entry.BaseLDAPEntry] = []

    def gotEntry(self, obj: entry.BaseLDAPEntry) -> None:
        self.entries.append(obj)


class Store:
    """The entries, in memory and in one LDIF file that holds every change that was answered."""

    def __init__(self, file: Path) -> None:
        """Read `file`, which starts as a copy of company.ldif if there is none."""
        self._file = file
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._write(SEED.read_bytes())
        self._entries = self._load()
        self.root = self._entries[0]

    def _load(self) -> list[Entry]:
        reader = _Reader()
        reader.dataReceived(self._file.read_bytes() + b"\n\n")
        first, *others = reader.entries
        entries = [Entry(first.dn, first)]
        places = {first.dn: entries[0]}
        for one in others:
            placed = places[one.dn.up()].addChild(one.dn.split()[0], one)
            places[one.dn] = placed
            entries.append(placed)
        return entries

    def change(self, target: Entry, changes: Sequence[Any]) -> None:
        """Make all the changes, in the file too, or none.

        Raises:
            LDAPException: one of them cannot be made, or the file cannot be written.
        """
        before = target.content()
        target.put(modified(before, changes))
        self._keep(lambda: target.put(before))

    def add(self, parent: Entry, dn: distinguishedname.DistinguishedName, content: dict[bytes, list[bytes]]) -> None:
        """Make an entry with an id of its own.

        Raises:
            LDAPException: there is one of that name, it may not be so, or the file cannot be written.
        """
        check_schema(content)
        made = parent.addChild(dn.split()[0], {**content, b"entryUUID": [str(uuid.uuid4()).encode()]})
        self._entries.append(made)

        def undo() -> None:
            self._entries.remove(made)
            parent.deleteChild(dn.split()[0])

        self._keep(undo)

    def delete(self, target: Entry) -> None:
        """Delete an entry that has none below it.

        Raises:
            LDAPException: it has, or the file cannot be written.
        """
        if target.below():
            raise ldaperrors.LDAPNotAllowedOnNonLeaf(target.dn.getText())
        kept = list(self._entries)
        self._entries = [one for one in kept if one is not target]
        self._keep(lambda: setattr(self, "_entries", kept))
        target.delete()

    def set_password(self, target: Entry, password: bytes) -> None:
        """Make that the only password of an entry.

        Raises:
            LDAPException: the file cannot be written.
        """
        before = set(target.passwords)
        target.passwords.clear()
        target.passwords.add(password)
        self._keep(lambda: target.passwords.update(before))

    def _keep(self, undo: Callable[[], None]) -> None:
        """Write the file; if that fails, undo what was done in memory."""
        try:
            self._write(b"".join(one.lines() for one in self._entries))
        except OSError as trouble:
            undo()
            raise ldaperrors.LDAPUnavailable(str(trouble).encode()) from trouble

    def _write(self, text: bytes) -> None:
        part = self._file.with_suffix(".part")
        with part.open("wb") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._file)


class Session(ldapserver.LDAPServer):  # type: ignore[misc]  # ldaptor has no types
    """One client's connection."""

    factory: Factory
    boundUser: Entry | None

    def checkControls(self, controls: Iterable[tuple[bytes, bool, bytes]] | None) -> None:
        """Refuse critical controls, but for paged results (RFC 2696): every answer here is one page."""
        super().checkControls([control for control in controls or () if control[0] != PAGED_RESULTS])

    def getRootDSE(self, request: Any, reply: Callable[[Any], None]) -> Any:
        """Say what this server is (RFC 4512, section 5.1)."""
        del request
        about = [
            ("objectClass", ["top"]),
            ("supportedLDAPVersion", ["3"]),
            ("namingContexts", [self.factory.store.root.dn.getText()]),
            ("supportedControl", [PAGED_RESULTS]),
            ("vendorName", ["Commissary demo"]),
        ]
        reply(pureldap.LDAPSearchResultEntry(objectName="", attributes=about))
        return pureldap.LDAPSearchResultDone(resultCode=ldaperrors.Success.resultCode)

    def handle_LDAPBindRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Bind by name and password; a refused bind leaves the connection anonymous (RFC 4513, section 4)."""
        self.boundUser = None
        if request.sasl:
            raise ldaperrors.LDAPAuthMethodNotSupported(b"simple bind only")
        return super().handle_LDAPBindRequest(request, controls, reply)

    def handle_LDAPSearchRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Search; anonymous connections only get the root entry."""
        if request.baseObject:
            self._require_bound()
        return super().handle_LDAPSearchRequest(request, controls, reply)

    def handle_LDAPCompareRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Compare a value."""
        self._require_bound()
        return super().handle_LDAPCompareRequest(request, controls, reply)

    def handle_LDAPModifyRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Change an entry, for an account below ``ou=services``."""
        del reply
        self._require_writer(controls)
        changes = delta.ModifyOp.fromLDAP(request).modifications
        found = self._find(request.object)
        found.addCallback(self.factory.store.change, changes)
        return found.addCallback(lambda _: pureldap.LDAPModifyResponse(resultCode=0))

    def handle_LDAPAddRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Make an entry, for an account below ``ou=services``."""
        del reply
        self._require_writer(controls)
        dn = distinguishedname.DistinguishedName(request.entry)
        content = {name.value: [value.value for value in values] for name, values in request.attributes}
        found = self._find(dn.up())
        found.addCallback(self.factory.store.add, dn, content)
        return found.addCallback(lambda _: pureldap.LDAPAddResponse(resultCode=0))

    def handle_LDAPDelRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Delete an entry, for an account below ``ou=services``."""
        del reply
        self._require_writer(controls)
        found = self._find(request.value)
        found.addCallback(self.factory.store.delete)
        return found.addCallback(lambda _: pureldap.LDAPDelResponse(resultCode=0))

    def handle_LDAPModifyDNRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Rename nothing."""
        del request, controls, reply
        raise ldaperrors.LDAPUnwillingToPerform(b"this directory renames no entries")

    def extendedRequest_LDAPPasswordModifyRequest(self, data: Any, reply: Any) -> Any:
        """Set somebody's password (RFC 3062), for an account below ``ou=services``; it makes up none by itself."""
        del reply
        self._require_writer(())
        given = {type(part): part.value for part in data}
        who = given.get(pureldap.LDAPPasswordModifyRequest_userIdentity)
        password = given.get(pureldap.LDAPPasswordModifyRequest_newPasswd)
        if not who or not password:
            raise ldaperrors.LDAPUnwillingToPerform(b"name the entry and the new password")
        found = self._find(who)
        found.addCallback(self.factory.store.set_password, password)
        return found.addCallback(lambda _: pureldap.LDAPExtendedResponse(resultCode=0, responseName=None))

    extendedRequest_LDAPPasswordModifyRequest.oid = (  # type: ignore[attr-defined]  # where ldaptor looks for it
        pureldap.LDAPPasswordModifyRequest.oid
    )
    extendedRequest_LDAPPasswordModifyRequest.berdecoder = (  # type: ignore[attr-defined]  # as above
        ldapserver.LDAPServer.extendedRequest_LDAPPasswordModifyRequest.berdecoder
    )

    def _find(self, dn: Any) -> Any:
        return self.factory.store.root.lookup(distinguishedname.DistinguishedName(dn))

    def _require_writer(self, controls: Any) -> None:
        self.checkControls(controls)
        if SERVICES not in self._require_bound().dn.getText():
            raise ldaperrors.LDAPInsufficientAccessRights(b"only service accounts may write")

    def _require_bound(self) -> Entry:
        if self.boundUser is None:
            raise ldaperrors.LDAPInsufficientAccessRights(b"bind first")
        return self.boundUser


class Factory(protocol.ServerFactory):
    """Makes a session for each connection, all on one store."""

    protocol = Session

    def __init__(self, store: Store) -> None:
        self.store = store


components.registerAdapter(lambda factory: factory.store.root, Factory, interfaces.IConnectedLDAPEntry)  # type: ignore[no-untyped-call]  # twisted's


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m cli.demo.directory_server", description="The demo's directory.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps directory.ldif")
    options = parser.parse_args()
    log.startLogging(sys.stdout, setStdout=False)  # type: ignore[no-untyped-call]  # twisted's
    store = Store(options.data / "directory.ldif")
    loop: Any = reactor  # a module that stands for the reactor
    try:
        loop.listenTCP(options.port, Factory(store), interface="127.0.0.1")
    except error.CannotListenError as trouble:
        sys.exit(f"cannot listen on 127.0.0.1:{options.port}: {trouble.socketError}")
    loop.run()


if __name__ == "__main__":
    main()
