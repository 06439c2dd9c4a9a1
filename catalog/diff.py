"""What a new version of an item changes, in words, for each of those who meet it (feature rows K4, K6).

Nothing is left out: what has no sentence of its own is told by its name, with what it was and what it is. Running
requests keep the version they were ordered with; only orders from now on are meant here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

from catalog.duration import words as lasting
from catalog.fields import Field, RowsField
from catalog.item import AudienceRule, CatalogItem, CrossCheck, Notification
from catalog.model import Model
from catalog.registry import Known
from catalog.stages import Stage
from catalog.steps import ApproveStep, ForEachStep, ParallelStep, Step, TaskStep, walk
from catalog.text import one_line
from catalog.wording import Words, capital, field_type, listed, price, quorum

_SHOWN = 60


class _WithId(Protocol):
    @property
    def id(self) -> str: ...


Named = TypeVar("Named", bound=_WithId)


class Changes(Model):
    """What a version changes, as sentences.

    Attributes:
        requesters: for those who order, and those it is for.
        approvers: for those who decide.
        fulfillers: for those who do the work, people and systems.
        authors: for those who keep the item.
    """

    requesters: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    fulfillers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.requesters or self.approvers or self.fulfillers or self.authors)


class _Pair(NamedTuple):
    """The two versions, each with its words."""

    old: CatalogItem
    new: CatalogItem
    before: Words
    now: Words


def changes(old: CatalogItem, new: CatalogItem, known: Known | None = None) -> Changes:
    """Return what changes from `old` to `new`; false if nothing does."""
    if old == new:
        return Changes()
    pair = _Pair(old, new, Words(old, known), Words(new, known))
    return Changes(
        requesters=tuple(_for_requesters(pair)),
        approvers=tuple(_for_approvers(pair)),
        fulfillers=tuple(_for_fulfillers(pair)),
        authors=tuple(_for_authors(pair)),
    )


def _said(value: Any) -> str:
    """Return a value in a few words."""
    match value:
        case None | "" | ():
            return "nothing"
        case dict() if not value:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return lasting(value)
        case tuple() if all(isinstance(one, str) for one in value):
            text = ", ".join(value)
        case Model():
            text = str(value.model_dump(mode="json", exclude_defaults=True))
        case _:
            text = str(value)
    line = one_line(text)
    return f"“{line if len(line) <= _SHOWN else f'{line[: _SHOWN - 1]}…'}”"


def _rest(subject: str, old: Model, new: Model, told: Sequence[str] = ()) -> Iterator[str]:
    """Yield a sentence for each part of both that differs and was not told otherwise."""
    for name in type(new).model_fields:
        if name in told or name not in type(old).model_fields:
            continue
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            yield f"{subject}: {name.replace('_', ' ')} was {_said(before)}, now it is {_said(now)}."


def _matched(old: Sequence[Named], new: Sequence[Named]) -> tuple[list[Named], list[Named], list[tuple[Named, Named]]]:
    """Return what was added, what was removed, and what stands in both, by id."""
    before, now = {one.id: one for one in old}, {one.id: one for one in new}
    added = [one for one in new if one.id not in before]
    removed = [one for one in old if one.id not in now]
    return added, removed, [(before[one.id], one) for one in new if one.id in before]


def _reordered(both: Sequence[tuple[Named, Named]], old: Sequence[Named]) -> bool:
    """Return whether what stands in both comes in another order now."""
    kept = [before for before, _ in both]
    return kept != [one for one in old if one in kept]


def _for_requesters(pair: _Pair) -> Iterator[str]:
    old, new = pair.old, pair.new
    yield from _offer(old, new)
    if old.sla.target != new.sla.target:
        sooner = "sooner" if new.sla.target < old.sla.target else "later"
        yield f"It is promised {sooner}: within {lasting(new.sla.target)} instead of {lasting(old.sla.target)}."
    if old.price != new.price:
        yield from _price(old, new)
    if old.entitlement != new.entitlement:
        groups = [item.entitlement.group if item.entitlement else "no group" for item in (old, new)]
        yield f"What one gets is a place in {groups[1]} instead of {groups[0]}."
    yield from _questions("", old.form, new.form, pair)
    yield from _checks(old.checks, new.checks)
    yield from _rules("see it", old.visibility, new.visibility, pair)
    yield from _rules("have it", old.eligibility, new.eligibility, pair)
    yield from _rest("Ordering it for others", old.order_for, new.order_for)
    yield from _rest("Calling it off", old.cancel, new.cancel)
    if old.duplicates != new.duplicates:
        can = "can" if new.duplicates == "allow" else "cannot"
        yield f"One {can} have several open orders of it for the same person."
    if old.distinct_by != new.distinct_by:
        yield f"Two orders are the same if they agree in {_said(new.distinct_by)}, not in {_said(old.distinct_by)}."
    yield from _irreversible(pair)
    yield from _bundle(pair)


def _offer(old: CatalogItem, new: CatalogItem) -> Iterator[str]:
    if old.name != new.name:
        yield f"It is called {_said(new.name)} instead of {_said(old.name)}."
    if old.summary != new.summary or old.description != new.description:
        yield "It is described in other words."
    if old.category != new.category:
        yield f"It stands under {_said(new.category)} instead of {_said(old.category)}."
    if old.lifecycle != new.lifecycle:
        yield {
            "draft": "It is not offered for now.",
            "published": "It can be ordered.",
            "retired": "It can no longer be ordered.",
        }[new.lifecycle]
    if old.successor != new.successor:
        yield f"What to order instead: {_said(new.successor)}."


def _price(old: CatalogItem, new: CatalogItem) -> Iterator[str]:
    before, now = price(old.price), price(new.price)
    if before != now:
        yield f"It costs {now} instead of {before}."
    elif _terms(old) != _terms(new):
        yield "Its price is computed in another way."
    centres = [one_line(item.price.cost_centre or "") if item.price else "" for item in (old, new)]
    if centres[0] != centres[1]:
        yield f"It is charged to {_said(centres[1])} instead of {_said(centres[0])}."


def _terms(item: CatalogItem) -> Any:
    return item.price.model_dump(exclude={"cost_centre"}) if item.price else None


def _questions(where: str, old: Sequence[Field], new: Sequence[Field], pair: _Pair) -> Iterator[str]:
    """Yield what becomes of a form's questions; `where` names the one that a row's questions belong to."""
    added, removed, both = _matched(old, new)
    for field in added:
        need = _need(field.required, pair.now)
        yield f"A new question{where}: “{field.label}” ({field_type(field)}, {need})."
    for field in removed:
        yield f"“{field.label}”{where} is no longer asked."
    if _reordered(both, old):
        yield f"The questions{where} come in another order."
    for before, now in both:
        yield from _question(where, before, now, pair)


def _question(where: str, old: Field, new: Field, pair: _Pair) -> Iterator[str]:
    name = f"“{new.label}”{where}"
    if old.label != new.label:
        yield f"“{old.label}”{where} now reads “{new.label}”."
    if old.help != new.help:
        yield f"{name} has another hint."
    if old.type != new.type:
        yield f"{name} takes a {field_type(new)} instead of a {field_type(old)}."
    if old.required != new.required:
        yield f"{name} now {_need(new.required, pair.now)}."
    if old.visible != new.visible:
        yield f"{name} is asked {_when(new.visible, pair.now)} instead of {_when(old.visible, pair.before)}."
    told = ["label", "help", "type", "required", "visible"]
    before, now = getattr(old, "choices", ()), getattr(new, "choices", ())
    if set(before) != set(now):
        told.append("choices")
        yield from _choices(name, before, now)
    if isinstance(old, RowsField) and isinstance(new, RowsField):
        told.append("fields")
        yield from _questions(f" in “{new.label}”", old.fields, new.fields, pair)
    yield from _rest(name, old, new, told)


def _need(required: bool | str, words: Words) -> str:
    if isinstance(required, bool):
        return "must be answered" if required else "may be left out"
    return f"must be answered if {words.condition(required)}"


def _choices(name: str, before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    more = [choice for choice in now if choice not in before]
    less = [choice for choice in before if choice not in now]
    if more:
        yield f"{name} now offers {listed(more)}."
    if less:
        yield f"{name} no longer offers {listed(less, 'or')}."


def _when(when: bool | str, words: Words) -> str:
    return words.condition(when) if isinstance(when, bool) else f"if {words.condition(when)}"


def _checks(old: Sequence[CrossCheck], new: Sequence[CrossCheck]) -> Iterator[str]:
    yield from (f"A new rule for the answers: {one_line(check.message)}" for check in new if check not in old)
    yield from (f"A rule for the answers is gone: {one_line(check.message)}" for check in old if check not in new)
    if old != new and sorted(map(str, old)) == sorted(map(str, new)):
        yield "The rules for the answers come in another order."


def _rules(what: str, old: Sequence[AudienceRule], new: Sequence[AudienceRule], pair: _Pair) -> Iterator[str]:
    added, removed, both = _matched(old, new)
    for rule in added:
        yield f"Who may {what} has a new rule, {rule.id}: only if {pair.now.condition(rule.when)}."
    for rule in removed:
        yield f"Who may {what} has lost the rule {rule.id}: it was only if {pair.before.condition(rule.when)}."
    for before, now in both:
        if before.when != now.when:
            earlier = pair.before.condition(before.when)
            yield f"Who may {what}, rule {now.id}: only if {pair.now.condition(now.when)}; before, only if {earlier}."
        yield from _rest(f"Who may {what}, rule {now.id}", before, now, ("when",))
    if _reordered(both, old):
        yield f"The rules of who may {what} are asked in another order."


def _irreversible(pair: _Pair) -> Iterator[str]:
    before = {step.id: getattr(step, "irreversible", "") for _, step in walk(pair.old.steps)}
    for _, step in walk(pair.new.steps):
        why = getattr(step, "irreversible", "")
        if why and before.get(step.id) != why:
            yield f"“{pair.now.step(step)}” cannot be taken back: {one_line(why)}"


def _bundle(pair: _Pair) -> Iterator[str]:
    added, removed, both = _matched(pair.old.lines, pair.new.lines)
    yield from (f"It also brings {line.item}." for line in added)
    yield from (f"It no longer brings {line.item}." for line in removed)
    for before, now in both:
        yield from _rest(f"Its part {now.id}", before, now)
    if _reordered(both, pair.old.lines):
        yield "Its parts are listed in another order."


def _for_approvers(pair: _Pair) -> Iterator[str]:
    added, removed, both = _matched(pair.old.approvals, pair.new.approvals)
    yield from (_new_stage(stage, pair.now) for stage in added)
    yield from (f"“{stage.name}” is no longer asked." for stage in removed)
    if _reordered(both, pair.old.approvals):
        yield f"They are asked in another order: {listed(stage.name for stage in pair.new.approvals)}."
    for before, now in both:
        yield from _stage(before, now, pair)
    steps = {step.id: step for _, step in walk(pair.old.steps) if isinstance(step, ApproveStep)}
    for _, step in walk(pair.new.steps):
        if isinstance(step, ApproveStep) and step.id in steps:
            yield from _stage(steps[step.id].stage, step.stage, pair)
        elif isinstance(step, ApproveStep):
            yield f"In the middle of the fulfilment: {_new_stage(step.stage, pair.now)}"


def _new_stage(stage: Stage, words: Words) -> str:
    said = " ".join(words.stage(stage))
    return f"A new approval, “{stage.name}”. {said} They have {lasting(stage.decide_within)}."


def _stage(old: Stage, new: Stage, pair: _Pair) -> Iterator[str]:
    name = f"“{new.name}”"
    if old.name != new.name:
        yield f"“{old.name}” is now called {name}."
    if old.approvers != new.approvers:
        yield f"{name} asks {pair.now.approvers(new.approvers)} instead of {pair.before.approvers(old.approvers)}."
    if old.quorum != new.quorum:
        yield f"{name}: {quorum(new.quorum)} Before: {quorum(old.quorum)}"
    if old.decide_within != new.decide_within:
        yield f"{name} has {lasting(new.decide_within)} to decide instead of {lasting(old.decide_within)}."
    if old.when != new.when:
        yield f"{name} is asked {_when(new.when, pair.now)} instead of {_when(old.when, pair.before)}."
    added, removed, both = _matched(old.auto_approve, new.auto_approve)
    for auto in added:
        yield f"{name} is approved by itself if {pair.now.condition(auto.when)} ({auto.id}: {one_line(auto.because)})"
    for auto in removed:
        yield f"{name} is no longer approved by itself if {pair.before.condition(auto.when)} ({auto.id})."
    for before, now in both:
        yield from _rest(f"{name}, reason {now.id}", before, now)
    if _reordered(both, old.auto_approve):
        yield f"{name} tries the reasons to approve by itself in another order."
    told = ("name", "approvers", "quorum", "decide_within", "when", "auto_approve")
    yield from _rest(name, old, new, told)


def _for_fulfillers(pair: _Pair) -> Iterator[str]:
    old, new = _outline(pair.old), _outline(pair.new)
    for name, (step, _) in new.items():
        if name not in old:
            who = f" Done by {pair.now.approvers(step.assign)}." if isinstance(step, TaskStep) else ""
            within = pair.now.within(step)
            yield f"A new step, {name}: {pair.now.step(step)}.{who}{f' {capital(within)}.' if within else ''}"
    for name, (step, _) in old.items():
        if name not in new:
            yield f"The step {name} is gone: {pair.before.step(step)}."
    kept = [name for name in new if name in old]
    if kept != [name for name in old if name in new]:
        yield f"The steps come in another order: {listed(new)}."
    for name in kept:
        yield from _step(old[name], new[name], pair)
    if pair.old.workflow_type != pair.new.workflow_type:
        yield f"It is fulfilled by {pair.new.workflow_type} instead of {pair.old.workflow_type}."
    if pair.old.parameters != pair.new.parameters:
        before, now = _said(pair.old.parameters), _said(pair.new.parameters)
        yield f"The parameters of its workflow were {before}, now they are {now}."


def _outline(item: CatalogItem) -> dict[str, tuple[Step, str]]:
    """Return every step by its id, with what it stands in: the step around it and the branch."""
    at = dict(walk(item.steps))
    return {step.id: (step, _around(place, at)) for place, step in at.items()}


def _around(place: tuple[Any, ...], at: dict[tuple[Any, ...], Step]) -> str:
    outer = [place[:length] for length in range(len(place) - 1, 0, -1) if place[:length] in at]
    if not outer:
        return ""
    branch = place[len(outer[0]) + 1] if isinstance(at[outer[0]], ParallelStep) else ""
    return f"{at[outer[0]].id} {branch}".strip()


def _step(old: tuple[Step, str], new: tuple[Step, str], pair: _Pair) -> Iterator[str]:
    (before, there), (now, here) = old, new
    subject = f"The step {now.id}"
    if there != here:
        yield f"{subject} stands in {_said(here)} instead of {_said(there)}."
    if before.do != now.do:
        yield f"{subject} is another kind of step: {pair.now.doing(now)}, instead of: {pair.before.doing(before)}."
    if before.when != now.when:
        yield f"{subject} is done {_when(now.when, pair.now)} instead of {_when(before.when, pair.before)}."
    if isinstance(before, TaskStep) and isinstance(now, TaskStep) and before.assign != now.assign:
        yield f"{subject} goes to {pair.now.approvers(now.assign)} instead of {pair.before.approvers(before.assign)}."
    told = ["do", "when", "assign", "stage"]
    if isinstance(now, (ParallelStep, ForEachStep)):
        told += ["branches", "steps"]
    yield from _rest(subject, before, now, told)


def _for_authors(pair: _Pair) -> Iterator[str]:
    old, new = pair.old, pair.new
    if old.version == new.version:
        yield f"The version is {new.version} in both; a change needs a new one."
    elif _numbers(old.version) > _numbers(new.version):
        yield f"The version goes back from {old.version} to {new.version}; orders take the highest one."
    else:
        yield f"The version goes from {old.version} to {new.version}; running requests keep {old.version}."
    told = ("id", "owner", "tags", "icon", "approval_policy")
    if old.id != new.id:
        yield f"The id is {new.id} instead of {old.id}: it is another item."
    others = [name for name in CatalogItem.model_fields if name not in told]
    yield from _rest("The item", old, new, (*others, "id"))
    yield from _messages(old.notifications, new.notifications)


def _messages(old: Sequence[Notification], new: Sequence[Notification]) -> Iterator[str]:
    for message in new:
        if message not in old:
            to = _said(message.to)
            yield f"A message of its own goes to {to} when it is {message.on}: {one_line(message.subject)}"
    for message in old:
        if message not in new:
            to = _said(message.to)
            yield f"A message to {to} when it is {message.on} is gone: {one_line(message.subject)}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
