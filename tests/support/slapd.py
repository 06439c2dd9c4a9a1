"""A real OpenLDAP server (slapd 2.5) as a child process, in a directory of its own and on free ports of 127.0.0.1.

It has what an installation of some care has: TLS, the overlays memberof, refint, ppolicy, unique and auditlog, and a
service account that may read people, groups and devices and may write only `member` below ou=groups. A second one, the
provisioner, may also make, change and delete groups and accounts. What is in it is `support.company`'s business.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ldap3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from ldap3.core.exceptions import LDAPNoSuchObjectResult
from support.ports import free_port
from support.waiting import eventually

SUFFIX = "dc=example,dc=test"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
DEVICES = f"ou=devices,{SUFFIX}"
PLACEHOLDER = f"cn=nobody,{SUFFIX}"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-secret"
SERVICE, SERVICE_PASSWORD = f"cn=commissary,{SUFFIX}", "service-secret"
PROVISIONER = f"cn=provisioner,{SUFFIX}"

_BINARY = "/usr/sbin/slapd"
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
moduleload unique
moduleload auditlog
pidfile {home}/slapd.pid
argsfile {home}/slapd.args
TLSCACertificateFile {home}/ca.pem
TLSCertificateFile {home}/server.pem
TLSCertificateKeyFile {home}/server.key
TLSVerifyClient never
{extra}

database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {admin_password}
directory {home}/db
maxsize 268435456
# A killed process loses nothing that it gave to the kernel; only a killed machine would.
dbnosync
index objectClass eq
index uid,cn,mail eq
index member,manager eq
index entryUUID eq
limits dn.exact="{service}" size={size_limit} size.pr={size_limit} size.prtotal={total}
access to attrs=userPassword
  by dn.exact="{provisioner}" =wx
  by anonymous auth
  by * none
access to dn.subtree="ou=groups,{suffix}" attrs=member
  by dn.exact="{service}" write
  by dn.exact="{provisioner}" write
access to dn.subtree="ou=groups,{suffix}"
  by dn.exact="{service}" read
  by dn.exact="{provisioner}" write
access to dn.subtree="ou=people,{suffix}"
  by dn.exact="{service}" read
  by dn.exact="{provisioner}" write
access to dn.subtree="ou=devices,{suffix}"
  by dn.exact="{service}" read
access to *
  by * none
overlay memberof
memberof-refint true
overlay refint
refint_attributes member manager owner
refint_nothing "cn=nobody,{suffix}"
overlay ppolicy
overlay unique
unique_uri "ldap:///ou=people,{suffix}?mail?sub"
overlay auditlog
auditlog {home}/audit.ldif
"""


def require_slapd() -> None:
    """Skip the test where slapd is not installed, and fail it where it must be (CI=true)."""
    if Path(_BINARY).exists():
        return
    reason = "needs slapd: apt-get install -y --no-install-recommends slapd"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Change:
    """One change of a group's members as the audit log has it."""

    by: str
    kind: str
    group: str
    member: str


class Slapd:
    """A server that can be stopped, killed, frozen and started again on the same data and ports."""

    def __init__(self, home: Path, *, size_limit: int = 500, extra: str = "") -> None:
        """Prepare a server in the empty directory `home`; `extra` is global configuration.

        `size_limit` is what the service account gets of one search, and in all of its pages if it is below 500.
        """
        self.home = home
        self.port, self.tls_port = free_port(), free_port()
        self.ldap_url, self.ldaps_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.ca_file = home / "ca.pem"
        self.process: subprocess.Popen[bytes] | None = None
        for name, content in zip(("ca.pem", "server.pem", "server.key"), _certificates(), strict=True):
            (home / name).write_bytes(content)
        (home / "server.key").chmod(0o600)
        (home / "db").mkdir()
        (home / "slapd.conf").write_text(
            _CONFIG.format(
                home=home,
                suffix=SUFFIX,
                admin=ADMIN,
                admin_password=ADMIN_PASSWORD,
                service=SERVICE,
                provisioner=PROVISIONER,
                size_limit=size_limit,
                total="unlimited" if size_limit >= 500 else size_limit,
                extra=extra,
            )
        )

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        command = [_BINARY, "-f", str(self.home / "slapd.conf"), "-h", f"{self.ldap_url}/ {self.ldaps_url}/", "-d", "0"]
        with (self.home / "slapd.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._answers, timeout=20, pause=0.01)

    def stop(self) -> None:
        """Stop it in an orderly way, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it with -9."""
        self._end(signal.SIGKILL)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang: the kernel accepts connections, the server says nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # the signal is only on its way until now
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def admin(self) -> Iterator[ldap3.Connection]:
        """Open a connection that may do everything, and raises when it cannot."""
        server = ldap3.Server(self.ldap_url, get_info=ldap3.NONE, connect_timeout=5)
        connection = ldap3.Connection(
            server, ADMIN, ADMIN_PASSWORD, raise_exceptions=True, check_names=False, receive_timeout=20
        )
        connection.bind()
        try:
            yield connection
        finally:
            connection.unbind()

    def add(self, dn: str, object_class: str | list[str], attributes: Mapping[str, Any]) -> None:
        """Add an entry as the administrator."""
        with self.admin() as admin:
            admin.add(dn, object_class, dict(attributes))  # type: ignore[no-untyped-call]  # the stubs

    def add_value(self, dn: str, attribute: str, value: str) -> None:
        """Add a value to an attribute as the administrator."""
        with self.admin() as admin:
            admin.modify(dn, {attribute: [(ldap3.MODIFY_ADD, [value])]})  # type: ignore[no-untyped-call]  # the stubs

    def set_value(self, dn: str, attribute: str, value: str) -> None:
        """Make it the only value of an attribute as the administrator."""
        with self.admin() as admin:
            admin.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, [value])]})  # type: ignore[no-untyped-call]  # the stubs

    def delete(self, dn: str) -> None:
        """Delete an entry, if it is there, as the administrator."""
        with self.admin() as admin, contextlib.suppress(LDAPNoSuchObjectResult):
            admin.delete(dn)  # type: ignore[no-untyped-call]  # the stubs

    @contextlib.contextmanager
    def branch(self, name: str, base: str) -> Iterator[str]:
        """Have a branch of this name below `base` for the length of a block; what is put there goes with it."""
        dn = f"ou={name},{base}"
        self.add(dn, "organizationalUnit", {"ou": name})
        try:
            yield dn
        finally:
            with self.admin() as admin:
                admin.search(dn, "(objectClass=*)", ldap3.LEVEL)
                entries = [entry["dn"] for entry in admin.response or []]
            for entry in (*entries, dn):
                self.delete(entry)

    def values(self, dn: str, attribute: str) -> list[str]:
        """Return the values of an attribute as the administrator sees them."""
        with self.admin() as admin:
            admin.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute])
            response = admin.response or []
            return [value.decode() for value in response[0]["raw_attributes"].get(attribute, [])]

    def changes(self, by: str = SERVICE) -> list[Change]:
        """Return the changes of members that `by` made, in order, from the audit log."""
        log = self.home / "audit.ldif"
        records = log.read_text().split("\n\n") if log.exists() else []
        return [change for record in records for change in _changes(record) if change.by == by]

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("slapd did not start: " + (self.home / "slapd.log").read_text()[-2000:])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(20)


@contextlib.contextmanager
def running_slapd(home: Path, *, size_limit: int = 500, extra: str = "") -> Iterator[Slapd]:
    """Run a server in a directory below `home` for the length of a block; its data goes with it."""
    require_slapd()
    place = home / f"slapd-{free_port()}"
    place.mkdir()
    server = Slapd(place, size_limit=size_limit, extra=extra)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(place)


def _changes(record: str) -> Iterator[Change]:
    """Read one record of the audit log: ``# modify TIME SUFFIX BY ...``, then LDIF with folded lines."""
    lines = record.replace("\n ", "").splitlines()
    header = next((line for line in lines if line.startswith("# modify ")), None)
    if header is None:
        return
    by = header.split(" ")[4]
    fields = [_field(line) for line in lines if not line.startswith("#") and ":" in line]
    group = next(value for name, value in fields if name == "dn")
    kind = ""
    for name, value in fields:
        if name in ("add", "delete", "replace"):
            kind = name
        elif name == "member":
            yield Change(by, kind, group, value)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    if value.startswith(":"):
        return name, base64.b64decode(value[1:].strip()).decode()
    return name, value.strip()


@functools.cache
def _certificates() -> tuple[bytes, bytes, bytes]:
    """Make a certificate authority and a server certificate for 127.0.0.1: CA, certificate, key, as PEM."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Commissary test CA")])
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = _certificate(
        authority, authority, ca_key, [(x509.BasicConstraints(ca=True, path_length=0), True), (ca_id, False)]
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (names, False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slapd")])
    server = _certificate(subject, authority, ca_key, extensions, key)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return ca, server, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    ca_key: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    builder = builder.public_key((key or ca_key).public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
