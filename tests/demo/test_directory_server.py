"""The embedded directory as an LDAP client meets it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ldap3
import pytest
from ldap3.utils.conv import escape_filter_chars

BASE = "dc=nordlys,dc=example"
SERVICE, SERVICE_PASSWORD = f"cn=commissary,ou=services,{BASE}", "service-demo"
JONAS = f"uid=jonas.berg,ou=people,{BASE}"
MARA = f"uid=mara.lind,ou=people,{BASE}"
VPN = f"cn=vpn-users,ou=groups,{BASE}"
EMPTY = f"cn=personal-data-readers,ou=groups,{BASE}"
PLACEHOLDER = f"cn=nobody,ou=services,{BASE}"

Serve = Callable[[str, int], "subprocess.Popen[bytes]"]


class Client:
    """A connection that returns result codes and entries."""

    def __init__(self, port: int, dn: str | None = None, password: str | None = None) -> None:
        server = ldap3.Server("127.0.0.1", port, get_info=ldap3.NONE, connect_timeout=5)
        self.connection: Any = ldap3.Connection(
            server, dn, password, client_strategy=ldap3.SAFE_SYNC, receive_timeout=10, check_names=False
        )
        self.bound = self.connection.bind()[1]["description"]

    def search(
        self, base: str, text: str, scope: Any = ldap3.SUBTREE, **other: Any
    ) -> tuple[str, list[dict[str, Any]]]:
        _, result, response, _ = self.connection.search(base, text, scope, **{"attributes": ["*"], **other})
        return result["description"], response or []

    def found(self, text: str, base: str = BASE, **other: Any) -> list[str]:
        code, entries = self.search(base, text, **other)
        assert code == "success"
        return [entry["dn"] for entry in entries]

    def modify(self, dn: str, *changes: tuple[str, str, list[str]]) -> str:
        wanted: dict[str, list[Any]] = {}
        for attribute, operation, values in changes:
            wanted.setdefault(attribute, []).append((operation, values))
        return str(self.connection.modify(dn, wanted)[1]["description"])

    def members(self, group: str) -> list[str]:
        _, (entry,) = self.search(group, "(objectClass=*)", ldap3.BASE)
        return [value.decode() for value in entry["raw_attributes"]["member"]]


@pytest.fixture
def process(serve: Serve, free_port: int) -> subprocess.Popen[bytes]:
    """A directory of the test's own, on `free_port`."""
    return serve("directory_server", free_port)


@pytest.fixture
def connect(directory_port: int) -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def open_one(dn: str | None = SERVICE, password: str | None = SERVICE_PASSWORD, port: int = 0) -> Client:
        opened.append(Client(port or directory_port, dn, password))
        return opened[-1]

    yield open_one
    for client in opened:
        client.connection.unbind()


@pytest.fixture
def service(connect: Callable[..., Client]) -> Client:
    client = connect()
    assert client.bound == "success"
    return client


def test_people_sign_in_with_their_password_only(connect: Callable[..., Client]) -> None:
    assert connect(JONAS, "demo").bound == "success"
    assert connect(JONAS, "Demo").bound == "invalidCredentials"
    assert connect(f"uid=nobody.here,ou=people,{BASE}", "demo").bound == "invalidCredentials"
    assert connect(PLACEHOLDER, "demo").bound == "invalidCredentials"


def test_a_refused_bind_takes_the_rights_of_the_one_before(service: Client) -> None:
    service.connection.rebind(SERVICE, "wrong")
    assert service.search(BASE, "(uid=jonas.berg)")[0] == "insufficientAccessRights"


def test_a_stranger_sees_the_root_entry_and_nothing_else(connect: Callable[..., Client]) -> None:
    stranger = connect(None, None)
    code, (root,) = stranger.search("", "(objectClass=*)", ldap3.BASE)
    assert ("success", [BASE.encode()]) == (code, root["raw_attributes"]["namingContexts"])
    assert stranger.search(BASE, "(objectClass=*)") == ("insufficientAccessRights", [])
    assert stranger.connection.compare(JONAS, "uid", "jonas.berg")[1]["description"] == "insufficientAccessRights"


def test_no_search_or_comparison_reaches_a_password(service: Client) -> None:
    code, entries = service.search(BASE, "(objectClass=*)", attributes=["*", "userPassword"])
    assert code == "success"
    assert not [entry["dn"] for entry in entries if entry["raw_attributes"]["userPassword"]]
    assert service.found("(userPassword=*)") == []
    assert service.found("(userPassword=demo)") == []
    assert service.connection.compare(JONAS, "userPassword", "demo")[1]["description"] == "compareFalse"


def test_the_scopes_of_a_search(service: Client) -> None:
    people = f"ou=people,{BASE}"
    assert [people] == service.found("(objectClass=*)", people, scope=ldap3.BASE)
    assert len(service.found("(objectClass=*)", people, scope=ldap3.LEVEL)) == 40
    assert len(service.found("(objectClass=*)", people)) == 41
    assert service.found("(uid=jonas.berg)", scope=ldap3.LEVEL) == []


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("(uid=JONAS.BERG)", "jonas.berg"),
        (f"(cn={escape_filter_chars('Åsa Öström')})", "asa.ostrom"),
        ("(cn=" + "".join(f"\\{byte:02x}" for byte in "陈梅".encode()) + ")", "mei.chen"),
        ("(&(departmentNumber=10)(!(manager=*)))", "sigrid.nordal"),
        ("(mail=jonas.b*@nordlys.example)", "jonas.berg"),
        ("(|(uid=nobody)(sn=O'Brien))", "siobhan.obrien"),
    ],
)
def test_filters_find_the_one_meant(service: Client, text: str, login: str) -> None:
    assert [f"uid={login},ou=people,{BASE}"] == service.found(text)


def test_a_name_with_special_characters_is_found_and_read(service: Client) -> None:
    name = "turbine lab (hall 2), nights"
    (dn,) = service.found(f"(cn={escape_filter_chars(name)})")
    assert f"cn=turbine lab (hall 2)\\, nights,ou=groups,{BASE}" == dn
    assert [f"uid=asa.ostrom,ou=people,{BASE}"] == service.members(dn)


def test_bytes_that_are_no_text_match_nothing(service: Client) -> None:
    assert service.found("(cn=\\ff\\fe)") == []


def test_names_are_found_in_any_case(service: Client) -> None:
    assert service.found("(objectClass=*)", JONAS.upper(), scope=ldap3.BASE) == [JONAS]


def test_a_base_that_is_not_there_is_an_error(service: Client) -> None:
    assert service.search(f"ou=elsewhere,{BASE}", "(objectClass=*)") == ("noSuchObject", [])


def test_a_size_limit_cuts_and_says_so(service: Client) -> None:
    code, entries = service.search(BASE, "(objectClass=inetOrgPerson)", size_limit=5)
    assert (code, len(entries)) == ("sizeLimitExceeded", 5)


@pytest.mark.parametrize("critical", [False, True])
def test_a_paged_search_gets_everybody_once(service: Client, critical: bool) -> None:
    pages = service.connection.extend.standard.paged_search(
        BASE, "(objectClass=inetOrgPerson)", paged_size=7, paged_criticality=critical, generator=True
    )
    assert len({entry["dn"] for entry in pages}) == 40


def test_an_unknown_critical_control_is_refused(service: Client) -> None:
    code, _ = service.search(BASE, "(uid=jonas.berg)", controls=[("1.2.3.4", True, None)])
    assert code == "unavailableCriticalExtension"


def test_members_are_added_and_removed_once_each(service: Client) -> None:
    answers = [service.modify(VPN, ("member", how, [JONAS])) for how in ("MODIFY_ADD",) * 2 + ("MODIFY_DELETE",) * 2]
    assert answers == ["success", "attributeOrValueExists", "success", "noSuchAttribute"]


def test_a_group_keeps_at_least_one_member(service: Client) -> None:
    remove, add = ("member", "MODIFY_DELETE", [PLACEHOLDER]), ("member", "MODIFY_ADD", [JONAS])
    assert service.modify(EMPTY, remove) == "objectClassViolation"
    assert service.members(EMPTY) == [PLACEHOLDER]
    assert service.modify(EMPTY, remove, add) == "success"
    assert service.members(EMPTY) == [JONAS]
    assert service.modify(EMPTY, ("member", "MODIFY_REPLACE", [PLACEHOLDER])) == "success"


def test_a_modification_is_made_as_a_whole_or_not_at_all(service: Client) -> None:
    before = service.members(VPN)
    twice = ("member", "MODIFY_ADD", [JONAS])
    assert service.modify(VPN, twice, ("member", "MODIFY_ADD", before[:1])) == "attributeOrValueExists"
    assert before == service.members(VPN)


def test_only_service_accounts_write(connect: Callable[..., Client]) -> None:
    jonas = connect(JONAS, "demo")
    assert jonas.modify(VPN, ("member", "MODIFY_ADD", [JONAS])) == "insufficientAccessRights"
    assert JONAS not in jonas.members(VPN)


def test_what_it_does_not_do_is_refused(service: Client) -> None:
    answers = (
        service.connection.modify_dn(JONAS, "uid=jonas"),
        service.connection.modify(JONAS, {"userPassword": [("MODIFY_REPLACE", ["x"])]}),
        service.connection.modify(JONAS, {"entryUUID": [("MODIFY_REPLACE", ["x"])]}),
    )
    assert {"unwillingToPerform"} == {result["description"] for _, result, *_ in answers}
    assert service.found("(uid=jonas.berg)") == [JONAS]


def test_entries_are_made_and_deleted(service: Client) -> None:
    dn = f"cn=brand new,ou=groups,{BASE}"

    def add(**values: str) -> str:
        return str(service.connection.add(dn, "groupOfNames", {"cn": "brand new", **values})[1]["description"])

    assert add() == "objectClassViolation"
    assert [add(member=PLACEHOLDER) for _ in range(2)] == ["success", "entryAlreadyExists"]
    _, (made,) = service.search(dn, "(objectClass=*)", ldap3.BASE)
    assert len(made["raw_attributes"]["entryUUID"][0]) == 36
    deleted = [service.connection.delete(dn)[1]["description"] for _ in range(2)]
    assert deleted == ["success", "noSuchObject"]
    assert service.connection.delete(f"ou=groups,{BASE}")[1]["description"] == "notAllowedOnNonLeaf"
    assert service.found("(cn=brand new)") == []


def test_people_make_and_delete_nothing(connect: Callable[..., Client]) -> None:
    jonas = connect(JONAS, "demo")
    answers = (
        jonas.connection.add(f"cn=x,ou=groups,{BASE}", "device"),
        jonas.connection.delete(VPN),
    )
    assert {"insufficientAccessRights"} == {result["description"] for _, result, *_ in answers}


def test_a_change_outlives_kill_9(
    connect: Callable[..., Client], serve: Serve, process: subprocess.Popen[bytes], free_port: int
) -> None:
    service = connect(port=free_port)
    assert service.modify(VPN, ("member", "MODIFY_ADD", [JONAS])) == "success"
    assert service.modify(JONAS, ("title", "MODIFY_REPLACE", ["Ingenieurin für alles"])) == "success"
    made, gone = f"cn=new,ou=groups,{BASE}", f"cn=turbine lab (hall 2)\\, nights,ou=groups,{BASE}"
    assert (
        service.connection.add(made, "groupOfNames", {"cn": "new", "member": PLACEHOLDER})[1]["description"]
        == "success"
    )
    assert service.connection.delete(gone)[1]["description"] == "success"
    service.connection.extend.standard.modify_password(user=MARA, new_password="new one")
    process.kill()
    process.wait()
    serve("directory_server", free_port)
    again = connect(port=free_port)
    assert again.found("(|(cn=new)(cn=turbine lab*))") == [made]
    assert connect(MARA, "new one", port=free_port).bound == "success"
    assert connect(MARA, "demo", port=free_port).bound == "invalidCredentials"
    assert JONAS in again.members(VPN)
    assert again.found(f"(title={escape_filter_chars('Ingenieurin für alles')})") == [JONAS]
    assert connect(JONAS, "demo", port=free_port).bound == "success"


def test_it_stops_in_good_order(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_taken_port_is_one_line(directory_port: int, serve: Serve, tmp_path: Path) -> None:
    second = serve("directory_server", directory_port)
    assert second.wait(20) == 1
    last = (tmp_path / "directory_server.log").read_text().splitlines()[-1]
    assert f"cannot listen on 127.0.0.1:{directory_port}" in last
