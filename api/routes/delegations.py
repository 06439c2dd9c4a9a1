"""Delegations: who may decide in one's place (feature row A8). Which of them count is decided in the catalog."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from activities.errors import NotFound
from activities.ports import Directory
from api import problems
from api.parts import OptionalKey, Parts, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.base import PageOut
from api.schemas.delegations import DelegationIn, DelegationOut, DelegationSetOut, DelegationsQuery
from catalog import delegation as rules
from catalog.delegation import Delegation
from catalog.form import FieldError
from catalog.model import digest
from catalog.people import Actor, Person
from catalog.request import Notice
from records.register import DelegationRefused, KeyReused

router = APIRouter(prefix="/delegations", tags=["delegations"])


@router.get("", responses=declared(*SIGNED_IN, problems.NotAllowed))
def list_delegations(
    query: Annotated[DelegationsQuery, Query()], parts: PartsIn, viewer: Viewer
) -> PageOut[DelegationOut]:
    """List what you have delegated and what was delegated to you, newest first; for operators everything with `all`."""
    if query.all and not viewer.operator:
        raise problems.NotAllowed("Only operators see the delegations of all people.")
    at = parts.clock()
    whose = None if query.all else viewer.person.id
    page = parts.register.delegations(viewer=whose, state=query.state, at=at, after=query.cursor, limit=query.limit)
    return PageOut(items=[DelegationOut.of(one, at) for one in page.items], next=page.next)


@router.post(
    "",
    status_code=201,
    responses=declared(
        *SIGNED_IN,
        problems.NotAllowed,
        problems.IdempotencyConflict,
        problems.DirectoryUnavailable,
        problems.DirectoryRefuses,
    ),
)
async def create_delegation(
    body: DelegationIn, response: Response, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> DelegationSetOut:
    """Let somebody decide in your place; they are asked at once about what already waits for you. Both are told."""
    standing = await run_in_threadpool(_set, parts, viewer, body, key)
    parts.announcer.wake()
    response.headers["Location"] = f"/api/v1/delegations/{standing.id}"
    return standing


@router.get("/{delegation_id}", responses=declared(*SIGNED_IN, problems.NotFound))
def show_delegation(delegation_id: str, parts: PartsIn, viewer: Viewer) -> DelegationOut:
    """Show a delegation of yours or to you."""
    return DelegationOut.of(_visible(parts, viewer, delegation_id), parts.clock())


@router.delete(
    "/{delegation_id}", status_code=204, responses=declared(*SIGNED_IN, problems.NotFound, problems.NotAllowed)
)
async def withdraw_delegation(delegation_id: str, parts: PartsIn, viewer: Viewer) -> None:
    """Withdraw a delegation of yours; it stays on record. One that is over stays as it is. Both are told."""
    await run_in_threadpool(_withdraw, parts, viewer, delegation_id)
    parts.announcer.wake()


def _set(parts: Parts, actor: Actor, body: DelegationIn, key: str | None) -> DelegationSetOut:
    """Check a delegation and put it on record; one that is on record already is not checked again."""
    if body.person is not None and not actor.operator:
        raise problems.NotAllowed("Only operators set delegations for others; leave 'person' out.")
    delegation_id, said = _id(actor, key), digest(body.model_dump(mode="json", exclude_defaults=True))
    try:
        standing = parts.register.delegation_set(delegation_id, said)
        if standing is None:
            new = _checked(parts, actor, body, delegation_id)
            standing = parts.register.set_delegation(new, said, tuple(_notices(new, "set", actor)))
    except DelegationRefused as error:
        raise _invalid(error.refusal.field, "value", error.refusal.message) from error
    except KeyReused as error:
        raise problems.IdempotencyConflict(
            "You have used this Idempotency-Key for another delegation; use a new one."
        ) from error
    out = DelegationOut.of(standing, parts.clock())
    return DelegationSetOut(**dict(out), warnings=tuple(_warnings(parts, standing)))


def _id(actor: Actor, key: str | None) -> str:
    """Return the id of a delegation: the same for the same person and key; a new one without a key."""
    unique = uuid4().hex if key is None else json.dumps([actor.person.id, "delegation", key])
    return f"dlg-{hashlib.sha256(unique.encode()).hexdigest()[:16]}"


def _checked(parts: Parts, actor: Actor, body: DelegationIn, delegation_id: str) -> Delegation:
    """Return the delegation that a body asks for.

    Raises:
        Invalid: somebody is not there, or it cannot be set.
        ConnectorError: the directory does not answer.
    """
    at = parts.clock()
    person = actor.person if body.person is None else _person(parts.directory, "person", body.person).ref()
    delegate = _person(parts.directory, "delegate", body.delegate)
    if not delegate.active:
        raise _invalid("delegate", "value", f"{delegate.name} has no active account, so they cannot decide.")
    new = Delegation(
        id=delegation_id,
        person=person,
        delegate=delegate.ref(),
        begins=body.begins or at,
        ends=body.ends,
        scope=rules.Scope.model_validate(body.scope.model_dump()),
        reason=body.reason,
        set_by=actor.person,
        created_at=at,
    )
    refusal = rules.refuse(new)
    if refusal:
        raise _invalid(refusal.field, "value", refusal.message)
    return new


def _person(directory: Directory, field: str, login: str) -> Person:
    try:
        return directory.person_by_login(login)
    except NotFound as error:
        raise _invalid(field, "not-found", f"Nobody signs in as {login!r}.") from error


def _invalid(field: str, code: Literal["not-found", "value"], message: str) -> problems.Invalid:
    return problems.Invalid("The delegation is not set.", errors=[FieldError(field=field, code=code, message=message)])


def _warnings(parts: Parts, standing: Delegation) -> Iterator[str]:
    """Yield what one should know of a delegation: also what it names that nobody can order."""
    people = (standing.person.id, standing.delegate.id)
    around = parts.register.touching(people, standing.created_at)
    yield from rules.warnings(standing, (one for one in around if one.id != standing.id))
    catalog = parts.shelf.stock.catalog
    categories = {item.category for item in catalog}
    yield from (f"There is no item {item!r} now." for item in standing.scope.items if catalog.get(item) is None)
    yield from (f"No item is in category {one!r} now." for one in standing.scope.categories if one not in categories)


def _visible(parts: Parts, viewer: Actor, delegation_id: str) -> Delegation:
    found = parts.register.delegation(delegation_id)
    if found is None or not rules.may_see(viewer, found):
        raise problems.NotFound("There is no such delegation, or you may not see it.")
    return found


def _withdraw(parts: Parts, actor: Actor, delegation_id: str) -> None:
    found = _visible(parts, actor, delegation_id)
    if not rules.may_withdraw(actor, found):
        raise problems.NotAllowed(f"Only {found.person.name} and operators withdraw it.")
    parts.register.withdraw_delegation(found.id, parts.clock(), tuple(_notices(found, "withdrawn", actor)))


def _notices(about: Delegation, what: Literal["set", "withdrawn"], actor: Actor) -> Iterator[Notice]:
    """Yield what those it concerns are told; who did it knows it already (feature row N3)."""
    data = {
        "id": about.id,
        "person": about.person.name,
        "delegate": about.delegate.name,
        "begins": about.begins.isoformat(),
        "ends": about.ends.isoformat(),
        "scope": rules.shown(about.scope),
        "reason": about.reason,
        "by": actor.person.name,
    }
    for to in (about.person, about.delegate):
        if to.id != actor.person.id:
            yield Notice(event=f"delegation:{about.id}/{what}", template=f"delegation-{what}", to=to, data=data)
