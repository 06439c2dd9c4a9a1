"""An order that is placed nowhere: judged as a real one would be, over people from a file and items of the catalog.

What only a real source knows is taken as given and noted. Nothing is printed here, and nothing is decided that
`catalog.preview` can decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from activities.approvers import Approvers, ApproversQuery, Company
from activities.connectors.memory import MemoryCalendars, MemoryDirectory
from activities.errors import NotFound
from catalog import data, form, names
from catalog.calendar_file import PublishedCalendar
from catalog.expression import ExpressionError
from catalog.fields import AttachmentField
from catalog.item import CatalogItem, Line
from catalog.lint.uses import ancestors
from catalog.model import digest
from catalog.people import Person
from catalog.plan import Wanted
from catalog.preview import Finder, Part, Whole, cost, denials, preview, reasons, total
from catalog.request import Order
from catalog.slate import Found
from catalog.stages import Stage
from cli.client import Trouble
from cli.kit.people import nearest
from cli.kit.shelf import NoSuchThing

_EVERYBODY = 100_000


class Desk:
    """Where orders are judged offline.

    Attributes:
        assumed: the answers that were taken as given, for there was nobody to ask.
    """

    def __init__(
        self, directory: MemoryDirectory, shelf: Mapping[str, CatalogItem], calendars: Iterable[PublishedCalendar] = ()
    ) -> None:
        """Take who there is, the items that bundles may order, by id, and the working hours there are."""
        self._directory = directory
        self._approvers = Approvers(directory, Company(calendars=MemoryCalendars(calendars)))
        self._shelf = shelf
        self._at = datetime.now(UTC)
        self.assumed: list[str] = []

    def judge(self, item: CatalogItem, answers: dict[str, Any], by: str, beneficiary: str) -> tuple[Order, Whole]:
        """Return the order that it would be, and what would become of it.

        Raises:
            Trouble: the answers are not right, or the price cannot be computed.
            NoSuchThing: somebody is named who is not there.
        """
        order = self._order(item, answers, _person(by, self._directory), _person(beneficiary, self._directory))
        return order, self._whole(order, ())

    def _order(
        self, item: CatalogItem, answers: dict[str, Any], requester: Person, receiver: Person, where: str = ""
    ) -> Order:
        bare = Order(
            number="",
            item=item,
            item_digest=digest(item),
            answers={},
            requester=requester.ref(),
            beneficiary=receiver.ref(),
            accepted_at=self._at,
            requester_profile=requester.profile(self._directory.groups_of(requester.id)),
            beneficiary_profile=receiver.profile(self._directory.groups_of(receiver.id)),
        )
        checked, assumed = _checked(item, answers, names.of_order(bare, self._at), self._directory)
        self.assumed += [f"{where}{path}" for path in assumed]
        order = bare.model_copy(update={"answers": checked})
        try:
            price = cost(item, names.of_order(order, self._at))
        except ExpressionError as error:
            raise Trouble(f"The price cannot be computed: {error}. Correct 'price' in the item.") from error
        return order.model_copy(update={"cost": price})

    def _whole(self, order: Order, above: tuple[str, ...]) -> Whole:
        """Return what would become of an order; `above` are the bundles that it is part of."""
        shown = preview(order, _finder(order, self._approvers))
        known = names.of_order(order, self._at)
        # Of a part it is not asked who may see it, or who may order it for whom: the bundle answers for that.
        denied = denials(order.item.eligibility, known) if above else shown.denials
        begins = shown.decided_by or order.accepted_at
        parts = self._parts(order, known, begins, (*above, order.item.id))
        costs = [order.cost] if order.cost else []
        costs += [one for part in parts if part.whole for one in part.whole.total]
        return Whole.model_validate(
            dict(shown)
            | {"denials": denied, "reasons": reasons(order.item, denied, known), "parts": parts, "total": total(costs)}
        )

    def _parts(
        self, order: Order, known: Mapping[str, Any], begins: datetime, above: tuple[str, ...]
    ) -> tuple[Part, ...]:
        """Return the parts in the bundle's order; each begins when those before it are fulfilled as promised."""
        lines = order.item.lines
        after = {line.id: line.after for line in lines}
        found: dict[str, Part] = {}
        for line in sorted(lines, key=lambda line: len(ancestors(line.id, after))):
            before = [found[name].whole for name in line.after if name in found]
            start = max((whole.due_at for whole in before if whole), default=begins)
            found[line.id] = self._part(order, line, known, start, above)
        return tuple(found[line.id] for line in lines)

    def _part(
        self, order: Order, line: Line, known: Mapping[str, Any], start: datetime, above: tuple[str, ...]
    ) -> Part:
        item = self._shelf.get(line.item)
        part = Part(id=line.id, item=line.item, name=item.name if item else line.item)
        if item is None:
            return part.model_copy(update={"fault": f"There is no usable item {line.item} in this catalog."})
        if item.id in above:
            return part.model_copy(update={"fault": "The bundle orders itself."})
        later = tuple(name for name, value in line.answers.items() if data.needs_results(value))
        now = {name: value for name, value in line.answers.items() if name not in later}
        try:
            if not data.holds(line.when, known):
                return part.model_copy(update={"needed": False})
            requester, receiver = (_person(one.login, self._directory) for one in (order.requester, order.beneficiary))
            judged = self._order(item, data.fill(now, known), requester, receiver, f"{line.id}.")
        except (ExpressionError, Trouble) as trouble:
            said = " ".join((str(trouble), *getattr(trouble, "details", ())))
            return part.model_copy(update={"later": later, "fault": said})
        whole = self._whole(judged.model_copy(update={"accepted_at": start}), above)
        return part.model_copy(update={"later": later, "whole": whole})


def _person(login: str, directory: MemoryDirectory) -> Person:
    try:
        return directory.person_by_login(login)
    except NotFound:
        there = [person.login for person in directory.people("", _EVERYBODY)]
        raise NoSuchThing(f"There is nobody with the login {login!r}. {nearest(login, there)}") from None


def _checked(
    item: CatalogItem, answers: dict[str, Any], known: Mapping[str, Any], directory: MemoryDirectory
) -> tuple[dict[str, Any], list[str]]:
    """Return the stored answers; what only a real source knows is taken as given, and told."""
    resolved: dict[form.Lookup, Any] = {}
    while True:
        checked = form.check(item.form, answers, known, item.checks, resolved)
        if checked.errors:
            wrong = tuple(f"{error.field}: {error.message}" for error in checked.errors)
            raise Trouble("The answers are not right:", wrong)
        if not checked.lookups:
            break
        resolved |= {lookup: _resolved(lookup, item, directory) for lookup in checked.lookups}
    return checked.answers, [lookup.path for lookup in resolved if lookup.kind != "person"]


def _resolved(lookup: form.Lookup, item: CatalogItem, directory: MemoryDirectory) -> Any:
    match lookup.kind:
        case "person":
            return _person(lookup.value, directory).ref().model_dump(mode="json", exclude_none=True)
        case "choice":
            return {"value": lookup.value, "label": lookup.value}
        case "file":
            return _file(lookup, item)
        case "secret":
            return True


def _file(lookup: form.Lookup, item: CatalogItem) -> dict[str, Any]:
    """Return a made-up file that the field accepts: offline there is no upload to look at."""
    fields = {field.id: field for field in item.form}
    field = next((fields[part] for part in re.split(r"[.\[\]]+", lookup.path) if part in fields), None)
    kinds = field.media_types if isinstance(field, AttachmentField) else ("application/octet-stream",)
    kind = kinds[0].replace("*", "plain")
    return {"id": lookup.value, "name": lookup.value, "media_type": kind, "size": 1, "digest": "sha256:0"}


def _finder(order: Order, approvers: Approvers) -> Finder:
    """Return what finds a stage's people, as for a real request."""

    def finder(stage: Stage, wanted: Wanted) -> Found:
        try:
            return approvers.find(ApproversQuery.for_stage(order, stage, wanted, order.accepted_at))
        except NotFound as error:
            raise LookupError(f"{error}. Correct the rule, or the people that --people names.") from error

    return finder
