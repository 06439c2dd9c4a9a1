"""An order before it is placed: may it be, what does it cost, who will be asked, by when (feature rows A3, C5, C7, C8).

The same rules that later carry it out, over the same values. Who the people are is asked of the caller, who has a
directory; nothing is written and nobody is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from catalog import agenda as agendas
from catalog import names, settling
from catalog import slate as slates
from catalog.calendar import ALWAYS
from catalog.data import fill, fill_text, holds, plain
from catalog.expression import ExpressionError, references
from catalog.fields import MAX_DIGITS, is_short
from catalog.item import AudienceRule, CatalogItem, OrderFor
from catalog.model import Model
from catalog.plan import PlannedStage, Wanted, plan, wanted
from catalog.promise import in_turn
from catalog.request import Cost, Order
from catalog.slate import Found, Slate
from catalog.stages import Stage
from catalog.steps import ApproveStep, walk
from catalog.wording import Words

Finder = Callable[[Stage, Wanted], Found]
"""Finds the people whom a stage wants, and the fallbacks; raises LookupError if rules name what there is not."""


class Denial(Model):
    """A rule that forbids an order, and what the person is told; `fault` is for the author only."""

    rule: str
    why: str
    fault: str = ""


class Asked(Model):
    """One stage, and who would be asked.

    Attributes:
        plan: whether it is needed, and why not.
        slate: the people; empty if nobody is asked.
        fault: why the people could not be found; then an operator is asked.
        due_at: when it is over at the latest, if everybody before takes their time; None if nobody is asked.
        terms: how many must approve and what else holds of it, a sentence each; nothing if nobody is asked.
    """

    plan: PlannedStage
    slate: Slate = Slate()
    fault: str = ""
    due_at: datetime | None = None
    terms: tuple[str, ...] = ()


class Preview(Model):
    """What would become of an order.

    Attributes:
        denials: everything that forbids it; empty if it may be placed.
        cost: what it costs; None without a price.
        stages: every stage of the item in order.
        later: what is asked in the middle of the work, by its name.
        due_at: when it is promised.
        decided_by: when the last approval is over, if everybody takes their time; None if nobody is asked.
    """

    denials: tuple[Denial, ...]
    cost: Cost | None
    stages: tuple[Asked, ...]
    later: tuple[str, ...] = ()
    due_at: datetime
    decided_by: datetime | None


class Reason(Model):
    """A rule that forbids an order, as its author reads it (feature row C7).

    Attributes:
        when: the condition that does not hold.
        read: the values it was evaluated with, by the names it uses; None for what was not given or is not known.
    """

    rule: str
    when: bool | str
    read: dict[str, Any] = {}


class Part(Model):
    """One line of a bundle, and what would become of its order (feature row C6).

    Attributes:
        id: of the line.
        item: id of the item.
        needed: whether this order brings it at all.
        later: the answers that come from parts before it; the part is judged without them.
        fault: why it cannot be judged; then an order of the bundle would be refused, or the part would fail.
        whole: what would become of it, its dates as if the parts before it were fulfilled as promised.
    """

    id: str
    item: str
    name: str
    needed: bool = True
    later: tuple[str, ...] = ()
    fault: str = ""
    whole: Whole | None = None


class Whole(Preview):
    """What would become of an order and of all its parts, for its author.

    Attributes:
        reasons: the conditions behind the denials.
        parts: of a bundle, every line.
        total: what the order costs with all its parts: one sum for each currency and rhythm; empty if it is free.
    """

    reasons: tuple[Reason, ...] = ()
    parts: tuple[Part, ...] = ()
    total: tuple[Cost, ...] = ()


Part.model_rebuild()


def total(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """Return the sum of several prices; what falls due in another currency or rhythm is a price of its own."""
    once: dict[str, Decimal] = defaultdict(Decimal)
    again: dict[str, dict[Any, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for cost in costs:
        once[cost.currency] += cost.one_off
        again[cost.currency][cost.every] += cost.recurring
    found = []
    for currency, one_off in once.items():
        sums = [Cost(every=every, recurring=sum_, currency=currency) for every, sum_ in again[currency].items() if sum_]
        first, *rest = sums or [Cost(currency=currency)]
        found += [first.model_copy(update={"one_off": one_off}), *rest]
    return tuple(cost for cost in found if cost.one_off or cost.recurring)


def reasons(item: CatalogItem, denied: Iterable[Denial], known: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Return the conditions behind denials, with the values they were evaluated with."""
    rules = {rule.id: rule.when for rule in (*item.visibility, *item.eligibility)}
    rules["order-for-others"] = item.order_for.others
    whens = [(denial.rule, rules[denial.rule]) for denial in denied if denial.rule in rules]
    return tuple(Reason(rule=rule, when=when, read=_read(when, known)) for rule, when in whens)


def _read(when: bool | str, known: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(when, bool):
        return {}
    return {".".join(path): plain(_at(path, known)) for path in sorted(references(when))}


def _at(path: tuple[str, ...], value: Any) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def preview(order: Order, finder: Finder) -> Preview:
    """Return what would become of an order; its `accepted_at` is when it would be placed."""
    known = names.of_order(order, order.accepted_at)
    stages: list[Asked] = []

    def end(planned: PlannedStage, at: datetime) -> datetime:
        asked = _asked(planned, order, known, finder, at)
        words = Words(order.item, called=asked.slate.called)
        stages.append(asked.model_copy(update={"terms": words.terms(planned.stage)}) if planned.asks else asked)
        return asked.due_at or at

    in_turn(plan(order.item.approvals, known), order.accepted_at, end)
    return Preview(
        denials=(
            *denials(order.item.visibility, known),
            *denials(order.item.eligibility, known),
            *for_whom(order.item.order_for, known),
        ),
        cost=order.cost,
        stages=tuple(stages),
        later=tuple(
            Words(order.item).doing(step) for _, step in walk(order.item.steps) if isinstance(step, ApproveStep)
        ),
        due_at=order.due_at,
        decided_by=max((stage.due_at for stage in stages if stage.due_at), default=None),
    )


def denials(rules: tuple[AudienceRule, ...], known: Mapping[str, Any]) -> tuple[Denial, ...]:
    """Return the rules that do not hold; one that cannot be evaluated does not hold either."""
    found = []
    for rule in rules:
        try:
            if not holds(rule.when, known):
                found.append(Denial(rule=rule.id, why=_words(rule.why_not, known)))
        except ExpressionError as error:
            found.append(Denial(rule=rule.id, why=_AT_FAULT, fault=str(error)))
    return tuple(found)


_AT_FAULT = "Whether you may have it cannot be said: a rule of the item is at fault. Tell its owner."


def for_whom(rule: OrderFor, known: Mapping[str, Any]) -> tuple[Denial, ...]:
    """Return why the requester may not order for this beneficiary; nothing if they may."""
    if known["requester"]["id"] == known["beneficiary"]["id"]:
        why = rule.why_not or "This is ordered for others only."
        return () if rule.oneself else (Denial(rule="order-for-oneself", why=_words(why, known)),)
    why = rule.why_not or "You may order this for yourself only."
    return denials((AudienceRule(id="order-for-others", when=rule.others, why_not=why),), known)


def _words(text: str, known: Mapping[str, Any]) -> str:
    """Return an author's sentence with its expressions filled in, or as it stands if they fail."""
    try:
        return fill_text(text, known)
    except ExpressionError:
        return text


def cost(item: CatalogItem, known: Mapping[str, Any]) -> Cost | None:
    """Return what an order costs; None without a price. `known` has every name but ``cost``.

    Raises:
        ExpressionError: the price cannot be evaluated, or is no amount.
    """
    terms = item.price
    if terms is None:
        return None
    return Cost(
        one_off=_amount(terms.one_off, known),
        recurring=_amount(terms.recurring, known),
        every=terms.every,
        currency=terms.currency or "",
        cost_centre=fill_text(terms.cost_centre, known),
    )


def _amount(written: Any, known: Mapping[str, Any]) -> Decimal:
    value = fill(written, known)
    try:
        amount = Decimal(str(value if value is not None else 0))
    except InvalidOperation:
        raise ExpressionError("the price came out as something else than an amount") from None
    if not amount.is_finite() or amount < 0 or not is_short(amount, MAX_DIGITS):
        raise ExpressionError("the price came out as something else than an amount of zero or more")
    return amount


def _asked(planned: PlannedStage, order: Order, known: Mapping[str, Any], finder: Finder, at: datetime) -> Asked:
    """Return who decides a stage that opens at `at`."""
    stage = planned.stage
    if not planned.asks:
        return Asked(plan=planned)
    try:
        found = finder(stage, wanted(stage, known))
    except (ExpressionError, LookupError) as error:
        return Asked(plan=planned, fault=str(error), due_at=agendas.end(ALWAYS, at, stage.decide_within))
    slate = slates.slate(stage, found, order.parties, at)
    fault = "" if settling.enough(stage, slate) else "Too few people are found who may decide."
    asked = [seat.acting.id for seat in slate.seats]
    agenda = agendas.begin(stage, asked, partial(slate.calendar_on, stage), at)
    return Asked(plan=planned, slate=slate, fault=fault, due_at=agenda.due_at)
