"""The catalog as people see it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from activities.errors import NotFound
from api import problems
from api.parts import Parts, PartsIn, Viewer, tagged
from api.problems import SIGNED_IN, Invalid, declared
from api.schemas.base import PageOut
from api.schemas.items import ChoicesQueryIn, ItemOut, ItemSummaryOut
from catalog import audience, names, preview
from catalog.choices import Choices, ChoicesQuery
from catalog.fields import Field, RowsField
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.people import Actor, PersonRef

router = APIRouter(prefix="/catalog/items", tags=["catalog"])

_LOOKED_UP = (problems.DirectoryUnavailable, problems.DirectoryRefuses)


@router.get("", responses=declared(*SIGNED_IN, *_LOOKED_UP))
def list_items(parts: PartsIn, viewer: Viewer) -> PageOut[ItemSummaryOut]:
    """List what can be ordered, by name, as far as the viewer may see it."""
    offered = [item for item in parts.shelf.stock.catalog if item.lifecycle == "published"]
    facts = frozenset(fact for item in offered for fact in audience.facts_to_see(item))
    profile = parts.sources().profile(viewer.person, audience.of(facts, "requester"))
    now = parts.clock()
    seen = [item for item in offered if audience.sees(item, viewer.person, profile, now)]
    return PageOut(items=[ItemSummaryOut.of(item) for item in seen])


@router.get("/{item_id}", response_model=ItemOut, responses=declared(*SIGNED_IN, problems.NotFound, *_LOOKED_UP))
def show_item(item_id: str, request: Request, parts: PartsIn, viewer: Viewer) -> Response:
    """Show an item with what it asks, what is done, and whether the viewer may order it."""
    item = _seen(parts, viewer, item_id)
    profile = parts.sources().profile(viewer.person, audience.of(audience.facts(item), "requester", "beneficiary"))
    why_not = audience.why_not(item, viewer.person, profile, parts.clock())
    return tagged(request, ItemOut.seen_by(item, parts.known, viewer, why_not))


@router.get(
    "/{item_id}/choices/{field}",
    responses=declared(*SIGNED_IN, problems.NotAllowed, problems.NotFound, problems.ChoicesUnavailable, *_LOOKED_UP),
)
def list_choices(
    item_id: str, field: str, query: Annotated[ChoicesQueryIn, Query()], parts: PartsIn, viewer: Viewer
) -> Choices:
    """List what can be chosen in a field of an item; of one inside rows by both names, as in `laptops.model`."""
    item = _seen(parts, viewer, item_id)
    provider = _provider(item.form, field)
    if provider is None:
        raise problems.NotFound("The item has no such field, or its choices stand in the item.")
    beneficiary = _beneficiary(parts, viewer, query.beneficiary)
    _may_order_for(parts, viewer, item, beneficiary)
    question = ChoicesQuery(
        provider=provider,
        requester_id=viewer.person.id,
        beneficiary_id=beneficiary.id,
        search=query.search,
        limit=query.limit,
    )
    return parts.choose(question)


def _seen(parts: Parts, viewer: Actor, item_id: str) -> CatalogItem:
    """Return an item.

    Raises:
        NotFound: there is none, or the viewer may not see it; which of the two is not said.
    """
    item = parts.shelf.stock.catalog.get(item_id)
    if item is not None and item.lifecycle != "draft":
        facts = audience.of(audience.facts_to_see(item), "requester")
        if audience.sees(item, viewer.person, parts.sources().profile(viewer.person, facts), parts.clock()):
            return item
    raise problems.NotFound("There is no such item, or you may not see it.")


def _provider(form: tuple[Field, ...], name: str) -> str | None:
    """Return the provider of a field."""
    first, _, rest = name.partition(".")
    field = next((field for field in form if field.id == first), None)
    if isinstance(field, RowsField):
        return _provider(field.fields, rest)
    provider: str | None = None if rest else getattr(field, "provider", None)
    return provider


def _beneficiary(parts: Parts, viewer: Actor, login: str | None) -> PersonRef:
    if login is None or login.casefold() == viewer.person.login.casefold():
        return viewer.person
    try:
        return parts.directory.person_by_login(login)
    except NotFound:
        error = FieldError(field="beneficiary", code="not-found", message="The directory knows nobody of this login.")
        raise Invalid("Choices cannot be listed for nobody.", errors=[error]) from None


def _may_order_for(parts: Parts, viewer: Actor, item: CatalogItem, other: PersonRef) -> None:
    """Return if the viewer may order an item for somebody else: choices may tell what that person has.

    Raises:
        NotAllowed: they may not.
    """
    if other.id == viewer.person.id:
        return
    asked, sources = audience.facts(item), parts.sources()
    profile = sources.profile(viewer.person, audience.of(asked, "requester"))
    others = sources.profile(other, audience.of(asked, "beneficiary"))
    known = {
        **audience.viewing(item, viewer.person, profile, parts.clock()),
        "beneficiary": names.of_person(other, others),
    }
    denied = preview.for_whom(item.order_for, known)
    if denied:
        raise problems.NotAllowed(" ".join(denial.why for denial in denied))
