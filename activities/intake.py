"""The intake desk: from what somebody asks for to an order on record, or to everything that is wrong with it.

The one way in, for people's orders and for those that requests place themselves. Nothing is written before everything
was checked. It decides nothing: what rules, prices and answers come to is asked of the catalog (`activities.judging`
puts that together for one person and one item). How an order becomes a workflow is not its business, and it knows no
workflow engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from activities.approvers import ALONE, Approvers, ApproversQuery, Company
from activities.errors import NotFound
from activities.judging import Judge, Judged, NotTaken, Visit, Wish
from activities.ports import Directory
from activities.sources import Choose, Sources
from catalog import amendment, audience, preview, rights
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.model import Model, canonical, digest
from catalog.people import Actor, PersonRef
from catalog.plan import Wanted
from catalog.preview import Preview
from catalog.registry import Known
from catalog.request import Order, OrderLine, Status
from catalog.slate import Found
from catalog.stages import Stage
from records.register import AlreadyOpen, NewOrder, Register, RequestView, Taken, UnknownSecret, UnknownUpload

__all__ = ["Assessed", "Desk", "LeftOut", "NotTaken", "Received", "Wish"]

MAX_ORDER = 1_000_000
"""Bytes of the largest order: the engine takes 2 MB in one message, and some hold the order and more."""

MAX_DEPTH = 5
"""How deeply requests may order others that order others."""

_CHILD = "⤷"
"""How the keys of requests' own orders begin; the API takes no such key from a client."""


class LeftOut(Model):
    """Somebody for whom nothing was ordered, and why; a repeat of the order no longer says why."""

    login: str
    why: str = ""


class Assessed(NamedTuple):
    """A wish as it would be taken, and what is against it.

    Attributes:
        people: the order of each person who was found.
        errors: everything that keeps the order from being taken whoever is left out.
        against: by login, what only keeps this person from having it.
    """

    people: tuple[Judged, ...]
    errors: tuple[FieldError, ...]
    against: dict[str, tuple[FieldError, ...]]

    def everything(self) -> tuple[FieldError, ...]:
        """Return everything that is wrong."""
        return (*self.errors, *(error for errors in self.against.values() for error in errors))

    def able(self) -> tuple[Judged, ...]:
        """Return the orders of those against whom there is nothing."""
        return tuple(one for one in self.people if one.order.beneficiary.login not in self.against)


class Received(NamedTuple):
    """An order on record, and for whom it is not."""

    taken: Taken
    left_out: tuple[LeftOut, ...] = ()


class Desk:
    """Takes orders; safe to call from several threads."""

    def __init__(
        self,
        *,
        register: Register,
        directory: Directory,
        choose: Choose,
        known: Known,
        company: Company = ALONE,
        offers: Callable[[str], bool] = lambda _item: True,
    ) -> None:
        """Take what it asks.

        Args:
            register: where orders are written, and published items read.
            directory: who people are.
            choose: asks the providers; what it raises is passed on.
            known: what is registered.
            company: what else is known of people, for who would decide.
            offers: whether an item of this id is on the shelf.
        """
        self._register, self._directory, self._choose = register, directory, choose
        self._judge = Judge(register, known, offers)
        self._approvers = Approvers(directory, company)

    def take(self, wish: Wish, key: str, body_digest: str, at: datetime) -> Received:
        """Put an order on record; one that is on record already is not checked again.

        Raises:
            NotTaken: with everything that is wrong; nothing was written.
            AlreadyOpen: it is for one person, who has an open request for the same thing, or another order has
                replaced what this one was to replace.
            KeyReused: the key stands for another order.
            ConnectorError: somebody has to be looked up, and the directory does not answer; nothing was written.
            RegisterUnavailable: nothing was written.
        """
        # The first answer again, whatever has become of the item, the people or the directory since.
        standing = self._register.taken(wish.requester.id, key, body_digest)
        if standing is not None:
            return Received(Taken(order=standing, fresh=False), _missing(wish, standing))
        assessed = self.assess(wish, at)
        able = self._acceptable(wish, assessed)
        taken = self._write(_new(able, key, body_digest))
        return Received(taken, tuple(_left_out(login, errors) for login, errors in assessed.against.items()))

    def place(self, wish: Wish, parent: str, line: str, at: datetime) -> Order:
        """Put the order of a request's part on record; a repeat answers the order that stands.

        Whether the requester sees the item or may order it for others is not asked: that the author of the parent's
        item did, or the parent's own intake.

        Raises:
            NotTaken: with everything that is wrong; nothing was written.
            ConnectorError, RegisterUnavailable: as `take`.
        """
        key, body_digest = f"{_CHILD}{parent}/{line}", digest({"parent": parent, "line": line})
        standing = self._register.taken(wish.requester.id, key, body_digest)
        if standing is not None:
            return standing
        self._check_depth(parent)
        assessed = self.assess(wish, at, part=True)
        if assessed.everything():
            raise NotTaken(assessed.everything())
        new = _new(assessed.people, key, body_digest)
        try:
            return self._write(new.model_copy(update={"parent": parent, "line": line})).order
        except AlreadyOpen as error:
            raise NotTaken([self._already_open(error.number, wish.requester, "beneficiary")]) from error

    def assess(self, wish: Wish, at: datetime, *, part: bool = False) -> Assessed:
        """Return what would become of a wish, writing nothing.

        Raises:
            NotTaken: there is no such item for the requester.
            ConnectorError, RegisterUnavailable: as `take`.
        """
        sources = Sources(self._directory, self._choose, self._register)
        replaced = self._replaced(wish)
        # Judged as if it replaced nothing, an order tells nothing of a request that its requester may not see.
        visit = Visit(wish if replaced else wish.model_copy(update={"replaces": ""}), at, sources, part=part)
        item = self._judge.item(wish.item, wish.version)
        if not part and not self._sees(visit, item):
            raise NotTaken([FieldError(field="item", code="unknown", message="The catalog has no item of this id.")])
        people, errors = _people(wish, item, sources)
        judged = tuple(self._judge.order(visit, item, wish.answers, person) for person in people.values())
        if judged:
            errors += _answer_errors([one for one in judged if not one.refused], wish)
        else:  # the requester stands in, so that all errors are told at once
            errors += self._judge.order(visit, item, wish.answers, wish.requester).errors
        errors += [*self._wrong_follows(wish), *_wrong_replaces(wish, replaced, judged)]
        against = {one.order.beneficiary.login: self._against(one, wish) for one in judged}
        return Assessed(judged, tuple(errors), {login: found for login, found in against.items() if found})

    def amend(self, order: Order, given: Mapping[str, Any], at: datetime) -> Judged:
        """Return what an order would be with some answers changed (feature row A22), writing nothing.

        It is judged as a new order of the same item for the same people; None takes an answer away.

        Raises:
            NotTaken: with everything that is wrong.
            AlreadyOpen: another request is open for what it would be.
            ConnectorError, RegisterUnavailable: as `take`.
        """
        wish = Wish(item=order.item.id, requester=order.requester, channel=order.channel, auth=order.auth)
        sources = Sources(self._directory, self._choose, self._register)
        judged = self._rejudged(Visit(wish, at, sources, part=bool(order.parent)), order, given)
        errors = (*judged.errors, *_denials(judged, "beneficiary"))
        if errors:
            raise NotTaken(errors)
        if judged.standing and judged.standing != order.number:
            raise AlreadyOpen(judged.standing)
        _refuse_size(judged.order)
        return judged

    def _rejudged(self, visit: Visit, order: Order, given: Mapping[str, Any]) -> Judged:
        """Return the order judged with what is given now, and whatever of the earlier answers has a place beside it."""
        answers = amendment.merged(order.answers, given)
        while True:
            judged = self._judge.order(visit, order.item, answers, order.beneficiary)
            gone = amendment.outdated(judged.errors, given) & answers.keys()
            if not gone:
                return judged
            answers = {name: answer for name, answer in answers.items() if name not in gone}

    def foresee(self, judged: Judged) -> Preview:
        """Return who would be asked and by when, should the order be taken.

        Raises:
            ConnectorError: the directory cannot say.
        """
        order = judged.order

        def finder(stage: Stage, wanted: Wanted) -> Found:
            try:
                return self._approvers.find(ApproversQuery.for_stage(order, stage, wanted, order.accepted_at))
            except NotFound as error:
                raise LookupError(str(error)) from error

        return preview.preview(order, finder)

    def _sees(self, visit: Visit, item: CatalogItem) -> bool:
        requester = visit.wish.requester
        profile = visit.sources.profile(requester, audience.of(audience.facts_to_see(item), "requester"))
        return audience.sees(item, requester, profile, visit.at)

    def _acceptable(self, wish: Wish, assessed: Assessed) -> tuple[Judged, ...]:
        """Return the orders to take; raises what keeps it from being taken."""
        able = assessed.able()
        if assessed.errors or not able or (assessed.against and not wish.skip_ineligible):
            if len(assessed.people) == 1 and not assessed.errors and not assessed.people[0].denied:
                standing = assessed.people[0].open_already
                assert standing, "there is nothing else against it"
                raise AlreadyOpen(standing[0])
            raise NotTaken(assessed.everything())
        return able

    def _against(self, judged: Judged, wish: Wish) -> tuple[FieldError, ...]:
        """Return what keeps one person from having what is ordered, shown at their place."""
        place = _place(wish, judged.order.beneficiary.login)
        errors = _denials(judged, place)
        errors += [self._already_open(number, wish.requester, place) for number in judged.open_already]
        return tuple(errors)

    def _already_open(self, number: str, requester: PersonRef, place: str) -> FieldError:
        """Return the error that names the open request, if the requester may see it."""
        named = number if self._register.is_party(number, requester.id) else "A request"
        return FieldError(field=place, code="already-open", message=f"{named} is already open for this.")

    def _wrong_follows(self, wish: Wish) -> list[FieldError]:
        """Return the error if the order follows something that the requester cannot have copied."""
        if not wish.follows:
            return []
        view = self._register.request(wish.follows)
        if view is None or view.order.requester.id != wish.requester.id:
            return [FieldError(field="follows", code="not-found", message="There is no such request of yours.")]
        if view.projection.status is not Status.CLOSED:
            return [FieldError(field="follows", code="value", message=f"{wish.follows} is still open.")]
        return []

    def _replaced(self, wish: Wish) -> RequestView | None:
        """Return the request that the order is to replace, if there is one that the requester may see."""
        view = self._register.request(wish.replaces) if wish.replaces else None
        asked = view is not None and self._register.is_party(wish.replaces, wish.requester.id)
        return view if view and rights.may_see(_actor(wish), view.order, asked=asked) else None

    def _check_depth(self, parent: str) -> None:
        number = parent
        for _ in range(MAX_DEPTH):
            view = self._register.request(number)
            if view is None or not view.order.parent:
                return
            number = view.order.parent
        message = f"Requests order others within others {MAX_DEPTH} deep at most; do they order each other?"
        raise NotTaken([FieldError(field="item", code="rule", message=message)])

    def _write(self, new: NewOrder) -> Taken:
        _refuse_size(new)
        try:
            return self._register.take(new)
        except (UnknownUpload, UnknownSecret) as error:
            raise NotTaken([FieldError(field="answers", code="not-found", message=str(error))]) from error


def _wrong_replaces(wish: Wish, replaced: RequestView | None, judged: tuple[Judged, ...]) -> list[FieldError]:
    """Return the error if the order is to replace something that it, or its requester, cannot have replaced."""
    if not wish.replaces:
        return []
    if replaced is None:
        message = "There is no such request, or you may not see it."
        return [FieldError(field="replaces", code="not-found", message=message)]
    if len(wish.beneficiaries) > 1:
        message = "An order for several people replaces none; order for one person, or cancel the other one."
        return [FieldError(field="replaces", code="value", message=message)]
    by = [one.order for one in judged]
    error = rights.refuse_replacing(_actor(wish), replaced.order, replaced.projection, by)
    return [error] if error else []


def _actor(wish: Wish) -> Actor:
    return Actor(person=wish.requester, operator=wish.operator, auth=wish.auth)


def _refuse_size(order: Order) -> None:
    if len(canonical(order)) > MAX_ORDER:
        message = f"The order has more than {MAX_ORDER} bytes; write less, or order for fewer people at once."
        raise NotTaken([FieldError(field="answers", code="length", message=message)])


def _denials(judged: Judged, place: str) -> list[FieldError]:
    """Return the rules that forbid an order, shown at a place."""
    return [
        FieldError(
            field=place,
            code="not-allowed" if denial.rule.startswith("order-for-") else "not-eligible",
            message=denial.why,
        )
        for denial in judged.denied
    ]


# For several people.


def _place(wish: Wish, login: str) -> str:
    """Return the name under which errors about a person are shown."""
    return f"beneficiaries[{login}]" if len(wish.beneficiaries) > 1 else "beneficiary"


def _people(wish: Wish, item: CatalogItem, sources: Sources) -> tuple[dict[str, PersonRef], list[FieldError]]:
    """Return those for whom it is, by place, and an error for each who is nobody.

    Nobody is looked up for an order for oneself.
    """
    most = item.order_for.at_most
    if len(wish.beneficiaries) > most:
        message = f"This is ordered for {most} people at once at most."
        return {}, [FieldError(field="beneficiaries", code="range", message=message)]
    people: dict[str, PersonRef] = {}
    errors: list[FieldError] = []
    for login in wish.beneficiaries or (wish.requester.login,):
        place = _place(wish, login)
        if login.casefold() == wish.requester.login.casefold():
            people.setdefault(wish.requester.id, wish.requester)
            continue
        try:
            person = sources.person(login)
        except NotFound:
            message = "The directory knows nobody of this login."
            errors.append(FieldError(field=place, code="not-found", message=message))
            continue
        if person.active:
            people.setdefault(person.id, person)
        else:
            message = f"The account of {person.name} is not active."
            errors.append(FieldError(field=place, code="value", message=message))
    return people, errors


def _answer_errors(judged: list[Judged], wish: Wish) -> list[FieldError]:
    """Return what is wrong with the answers: once if it is for everybody, else at the place of the person."""
    first = judged[0].errors if judged else ()
    everybody = {error for error in first if all(error in one.errors for one in judged)}
    found = [error for error in first if error in everybody]
    for one in judged:
        place = _place(wish, one.order.beneficiary.login)
        own = [error for error in one.errors if error not in everybody]
        found += [error.model_copy(update={"field": f"{place}.{error.field}".rstrip(".")}) for error in own]
    return found


def _new(able: tuple[Judged, ...], key: str, body_digest: str) -> NewOrder:
    """Return the order to write: of one person, or the parent of those of several."""
    first = able[0]
    order = first.order if len(able) == 1 else _parent(able)
    return NewOrder(
        **{name: getattr(order, name) for name in Order.model_fields if name != "number"},
        idempotency_key=key,
        body_digest=body_digest,
        duplicate_key=first.duplicate_key if len(able) == 1 else None,
        uploads=tuple(dict.fromkeys(upload for one in able for upload in one.uploads)),
        secrets=tuple(dict.fromkeys(secret for one in able for secret in one.secrets)),
    )


def _parent(able: tuple[Judged, ...]) -> Order:
    """Return the order of one item for several people; each part is checked again when its turn comes."""
    first = able[0].order
    lines = tuple(
        # A number, which no line of a bundle can be called.
        OrderLine(
            id=str(at),
            item=first.item.id,
            version=first.item.version,
            item_name=first.item.name,
            beneficiary=one.order.beneficiary,
            answers=one.given,
        )
        for at, one in enumerate(able, 1)
    )
    changes = {"answers": {}, "beneficiary": first.requester, "cost": None, "actions": {}, "lines": lines}
    return first.model_copy(update=changes | {"beneficiary_profile": first.requester_profile})


def _left_out(login: str, errors: Iterable[FieldError]) -> LeftOut:
    return LeftOut(login=login, why=" ".join(error.message for error in errors))


def _missing(wish: Wish, order: Order) -> tuple[LeftOut, ...]:
    """Return those for whom an order on record is not, though they were named."""
    there = {line.beneficiary.login.casefold() for line in order.lines} | {order.beneficiary.login.casefold()}
    return tuple(LeftOut(login=login) for login in wish.beneficiaries if login.casefold() not in there)
