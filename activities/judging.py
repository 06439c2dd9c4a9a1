"""One order of one item for one person, judged: what it would be, and everything that is against it.

Puts together what the catalog says of rules, prices, answers and parts of a bundle, over people and things as their
sources have them. Nothing is written here; what is done about the judgement is `intake`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from activities.sources import Sources
from catalog import audience, data, names, preview
from catalog.audience import Facts
from catalog.calendar_file import by_id
from catalog.expression import ExpressionError
from catalog.form import FieldError
from catalog.item import CatalogItem, Line
from catalog.model import Model, digest
from catalog.people import PersonRef
from catalog.preview import Denial
from catalog.registry import ActionUse, Known
from catalog.request import Order, OrderLine
from catalog.steps import CallWork, walk
from catalog.terms import terms, working_time
from records.register import Register

_CERTAIN = ("unknown", "type", "value", "characters", "length", "range", "not-found", "stale", "file")
"""Errors that stand whatever the answers are that are not known yet."""


class NotTaken(Exception):
    """An order is not taken; `errors` says everything that is wrong with it."""

    def __init__(self, errors: tuple[FieldError, ...] | list[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))


class Wish(Model):
    """What somebody asks for.

    Attributes:
        item: id of the item; its newest version is taken, or `version`.
        answers: as a client sends them.
        requester: who asks.
        beneficiaries: logins of the people it is for; the requester if there are none.
        skip_ineligible: leave out the people who may not have it, instead of taking nothing.
        follows: number of the request that this one is a copy of.
        replaces: number of the open request whose place this one is to take.
        operator: whether who asks is an operator.
        channel, auth: the road it came by and how the requester was known.
    """

    item: str
    version: str | None = None
    answers: dict[str, Any] = {}
    requester: PersonRef
    beneficiaries: tuple[str, ...] = ()
    skip_ineligible: bool = False
    follows: str = ""
    replaces: str = ""
    operator: bool = False
    channel: str
    auth: str


@dataclass(frozen=True)
class Visit:
    """One wish at the desk: when, and whom it asks; a `part` is ordered by another request."""

    wish: Wish
    at: datetime
    sources: Sources
    part: bool = False


@dataclass(frozen=True)
class Judged:
    """An order as it would be taken, and everything that is against it.

    Attributes:
        order: not numbered.
        given: its answers as they were given.
        errors: of the answers, those of parts among them.
        denials: the rules that forbid it.
        refused: the requester may not order for this person; then nothing else was judged.
        standing: the open request for the same thing, if there is one beside the one that it replaces.
        duplicate_key: what no other open request may stand for.
        uploads, secrets: references that the answers name.
        parts: of a bundle, the orders it will place.
    """

    order: Order
    given: dict[str, Any]
    errors: tuple[FieldError, ...] = ()
    denials: tuple[Denial, ...] = ()
    refused: bool = False
    standing: str | None = None
    duplicate_key: str | None = None
    uploads: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    parts: tuple[Judged, ...] = field(default=())

    @property
    def denied(self) -> tuple[Denial, ...]:
        """The rules that forbid it or a part of it."""
        inside = (
            Denial(rule=f"{part.order.item.id}.{one.rule}", why=f"{part.order.item.name}: {one.why}", fault=one.fault)
            for part in self.parts
            for one in part.denied
        )
        return (*self.denials, *inside)

    @property
    def open_already(self) -> tuple[str, ...]:
        """The open requests for the same thing, or for what is a part of it."""
        own = (self.standing,) if self.standing else ()
        return (*own, *(number for part in self.parts for number in part.open_already))

    def all_orders(self) -> Iterator[Judged]:
        """Yield itself and the parts, each followed by its own."""
        yield self
        for part in self.parts:
            yield from part.all_orders()


class Judge:
    """Judges orders; safe to call from several threads."""

    def __init__(self, register: Register, known: Known, offers: Callable[[str], bool]) -> None:
        """See `intake.Desk`."""
        self._register, self._known, self._offers = register, known, offers
        self._facts: dict[str, Facts] = {}

    def item(self, item_id: str, version: str | None = None) -> CatalogItem:
        """Return what can be ordered under an id: the newest version, or a given one.

        Raises:
            NotTaken: there is no such item, or it is offered no longer.
        """
        if version is not None:
            publication = self._register.published(item_id, version)
            item = publication.item if publication else None
        else:
            item = self._register.newest([item_id]).get(item_id) if self._offers(item_id) else None
        if item is None or item.lifecycle == "draft":
            raise NotTaken([FieldError(field="item", code="unknown", message="The catalog has no item of this id.")])
        if item.lifecycle == "retired":
            raise NotTaken([FieldError(field="item", code="value", message=audience.no_longer(item))])
        return item

    def order(
        self, visit: Visit, item: CatalogItem, answers: dict[str, Any], whom: PersonRef, above: tuple[str, ...] = ()
    ) -> Judged:
        """Judge the order of an item for one person; `above` are the bundles that it is a part of.

        Against somebody for whom the requester may not order, nothing else is said: the rest would tell of that person.
        """
        bare = self._bare(visit, item, whom)
        part = visit.part or bool(above)  # who may order for whom is not asked of a part
        refused = () if part else preview.for_whom(item.order_for, names.of_order(bare, visit.at))
        if refused:
            return Judged(order=bare, given=answers, denials=refused, refused=True)
        answered = visit.sources.check(
            item.form,
            answers,
            names.of_order(bare, visit.at),
            item.checks,
            requester_id=bare.requester.id,
            beneficiary_id=whom.id,
        )
        judged = Judged(
            order=bare.model_copy(update={"answers": answered.answers}),
            given=answers,
            errors=answered.errors,
            uploads=tuple(answered.uploads),
            secrets=tuple(answered.secrets),
        )
        known = names.of_order(judged.order, visit.at)
        judged = replace(judged, denials=preview.denials(item.eligibility, known))
        if judged.errors:
            return judged
        judged = self._on_terms(_priced(judged, visit.at), visit.at)
        return self._with_parts(visit, judged, (*above, item.id)) if item.lines else self._with_duplicate(judged)

    def _on_terms(self, judged: Judged, at: datetime) -> Judged:
        """Add what the order is measured by: its priority, its clocks, its stages' working time (feature row S1)."""
        item = judged.order.item
        if judged.errors or not (item.clocks or item.priority or working_time(item)):
            return judged
        try:
            found = terms(item, names.of_order(judged.order, at), by_id(self._register.calendars()))
        except ExpressionError as error:
            return replace(judged, errors=(FieldError(field="", code="rule", message=_at_fault(error)),))
        return replace(judged, order=judged.order.model_copy(update={"terms": found}))

    def _bare(self, visit: Visit, item: CatalogItem, whom: PersonRef) -> Order:
        """Return the order without its answers."""
        wish, its_digest = visit.wish, digest(item)
        asked = self._facts.get(its_digest)
        if asked is None:
            asked = self._facts[its_digest] = audience.facts(item)
        oneself = whom.id == wish.requester.id
        of_requester = audience.of(asked, "requester", *(("beneficiary",) if oneself else ()))
        profile = visit.sources.profile(wish.requester, of_requester)
        return Order(
            number="",
            item=item,
            item_digest=its_digest,
            answers={},
            requester=wish.requester,
            beneficiary=PersonRef(id=whom.id, login=whom.login, name=whom.name, mail=whom.mail),
            channel=wish.channel,
            auth=wish.auth,
            accepted_at=visit.at,
            requester_profile=profile,
            beneficiary_profile=profile if oneself else visit.sources.profile(whom, audience.of(asked, "beneficiary")),
            follows=wish.follows,
            replaces=wish.replaces,
            actions=_actions(item, self._known),
        )

    def _with_duplicate(self, judged: Judged) -> Judged:
        """Add what no other open request may stand for, and the one that does (feature row C12)."""
        key, replaces = judged.order.stands_for, judged.order.replaces
        if key is None and not replaces:
            return judged
        return replace(judged, duplicate_key=key, standing=self._register.open_duplicate(key, replaces))

    def _with_parts(self, visit: Visit, judged: Judged, above: tuple[str, ...]) -> Judged:
        """Add what a bundle will order with these answers, and what is wrong with it."""
        known = names.of_order(judged.order, visit.at)
        parts: dict[str, Judged] = {}
        errors: list[FieldError] = []
        for line in judged.order.item.lines:
            try:
                if data.holds(line.when, known):
                    parts[line.id] = self._part(visit, line, known, judged.order.beneficiary, above)
                    errors += [_at_line(line, error) for error in parts[line.id].errors]
            except ExpressionError as error:
                errors.append(_at_line(line, FieldError(field="", code="rule", message=_at_fault(error))))
            except NotTaken as refused:
                errors += [_at_line(line, error.model_copy(update={"field": ""})) for error in refused.errors]
        if not parts and not errors:
            errors.append(FieldError(field="", code="rule", message="With these answers nothing would be ordered."))
        lines = tuple(_line(line, parts) for line in judged.order.item.lines if line.id in parts)
        order = judged.order.model_copy(update={"lines": lines})
        return replace(judged, order=order, parts=tuple(parts.values()), errors=tuple(errors))

    def _part(
        self, visit: Visit, line: Line, known: Mapping[str, Any], whom: PersonRef, above: tuple[str, ...]
    ) -> Judged:
        """Judge one part of a bundle, as far as its answers do not wait for the results of other parts."""
        if line.item in above:
            raise ExpressionError("the bundle orders itself")
        item = self.item(line.item)
        now = {key: value for key, value in line.answers.items() if not data.needs_results(value)}
        part = self.order(visit, item, data.fill(now, known), whom, above)
        if len(now) == len(line.answers):
            return part
        certain = tuple(error for error in part.errors if error.code in _CERTAIN)
        return replace(part, errors=certain, standing=None, duplicate_key=None)


def _priced(judged: Judged, at: datetime) -> Judged:
    try:
        cost = preview.cost(judged.order.item, names.of_order(judged.order, at))
    except ExpressionError as error:
        return replace(judged, errors=(FieldError(field="", code="rule", message=_at_fault(error)),))
    return replace(judged, order=judged.order.model_copy(update={"cost": cost}))


def _actions(item: CatalogItem, known: Known) -> dict[str, ActionUse]:
    """Return what the item's workflow has to know of the actions it may call, those that undo others among them."""
    works = [work for _, step in walk(item.steps) for work in (step, getattr(step, "undo", None))]
    ahead = [work.action for work in works if isinstance(work, CallWork)]
    found: dict[str, ActionUse] = {}
    while ahead:
        spec = known.actions.get(name := ahead.pop())
        if spec is not None and name not in found:
            found[name] = spec.use()
            ahead += [spec.undo] if spec.undo else []
    return found


def _line(line: Line, parts: Mapping[str, Judged]) -> OrderLine:
    order = parts[line.id].order
    return OrderLine(
        id=line.id,
        item=order.item.id,
        version=order.item.version,
        item_name=order.item.name,
        beneficiary=order.beneficiary,
        answers=line.answers,
        after=tuple(one for one in line.after if one in parts),
    )


def _at_line(line: Line, error: FieldError) -> FieldError:
    return error.model_copy(update={"field": f"lines[{line.id}].{error.field}".rstrip(".")})


def _at_fault(error: ExpressionError) -> str:
    return f"The item is at fault here: {str(error).rstrip('.')}; tell its owner."
