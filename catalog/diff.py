"""What a new version of an item changes, in words, for each of those who meet it (feature rows K4, K6).

Nothing is left out: what has no sentence of its own is told by its name, with what it was and what it is. Running
requests keep the version they were ordered with; only orders from now on are meant here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from catalog.clock_words import clock, priority
from catalog.differences import Name, differing, matched, paired, reordered, said
from catalog.duration import words as lasting
from catalog.fields import Field, RowsField
from catalog.item import AudienceRule, CatalogItem
from catalog.model import Model
from catalog.registry import Known
from catalog.stage_words import TERMS, needs, people, quorum
from catalog.stages import Stage
from catalog.steps import ApproveStep, ForEachStep, ParallelStep, Step, TaskStep, Undo, walk
from catalog.text import capital, listed, one_line
from catalog.wording import Words, field_type, price


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


_IN_WORDS = {
    "task": ("title",),
    "grant": ("group", "to"),
    "revoke": ("group", "to"),
    "call": ("action",),
    "http": ("method", "url"),
    "notify": ("to", "subject"),
}
"""Work -> the parts of it that its wording tells."""


def _rest(subject: str, old: Model, new: Model, pair: _Pair, told: Sequence[str] = ()) -> Iterator[str]:
    """Yield a sentence for each part of both that differs and was not told otherwise."""
    for part in type(new).model_fields:
        if part in told or part not in type(old).model_fields:
            continue
        before, now = getattr(old, part), getattr(new, part)
        if before == now:
            continue
        match part:
            case "evidence":
                yield from _questions(f" as evidence of {subject[:1].lower()}{subject[1:]}", before, now, pair)
            case "assign":
                yield f"{subject} goes to {pair.now.approvers(now)} instead of {pair.before.approvers(before)}."
            case "undo":
                yield from _undo(subject, before, now, pair)
            case _:
                yield from differing(Name(subject, part.replace("_", " ")), before, now)


def _undo(subject: str, old: Undo | None, new: Undo | None, pair: _Pair) -> Iterator[str]:
    """Yield how else a step is taken back."""
    before, now = (pair.before.doing(old) if old else ""), (pair.now.doing(new) if new else "")
    if not now:
        yield f"{subject} is no longer taken back in a way of its own; it was: {before}."
    elif not before:
        yield f"{subject} is taken back in a way of its own: {now}."
    elif before != now:
        yield f"{subject} is taken back in another way: {now}; before: {before}."
    if old and new and old.do == new.do:
        yield from _rest(f"{subject}, taken back", old, new, pair, () if before == now else _IN_WORDS[new.do])


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
    yield from _checks(pair)
    yield from _rules("see it", old.visibility, new.visibility, pair)
    yield from _rules("have it", old.eligibility, new.eligibility, pair)
    yield from _rest("Ordering it for others", old.order_for, new.order_for, pair)
    yield from _rest("Calling it off", old.cancel, new.cancel, pair)
    if old.duplicates != new.duplicates:
        can = "can" if new.duplicates == "allow" else "cannot"
        yield f"One {can} have several open orders of it for the same person."
    if old.distinct_by != new.distinct_by:
        yield f"Two orders are the same if they agree in {said(new.distinct_by)}, not in {said(old.distinct_by)}."
    yield from _priority(pair)
    yield from _irreversible(pair)
    yield from _bundle(pair)


def _offer(old: CatalogItem, new: CatalogItem) -> Iterator[str]:
    if old.name != new.name:
        yield f"It is called {said(new.name)} instead of {said(old.name)}."
    if old.summary != new.summary or old.description != new.description:
        yield "It is described in other words."
    if old.category != new.category:
        yield f"It stands under {said(new.category)} instead of {said(old.category)}."
    if old.lifecycle != new.lifecycle:
        yield {
            "draft": "It is not offered for now.",
            "published": "It can be ordered.",
            "retired": "It can no longer be ordered.",
        }[new.lifecycle]
    if old.successor != new.successor:
        yield f"What to order instead: {said(new.successor)}."


def _price(old: CatalogItem, new: CatalogItem) -> Iterator[str]:
    before, now = price(old.price), price(new.price)
    if before != now:
        yield f"It costs {now} instead of {before}."
    elif _terms(old) != _terms(new):
        yield "Its price is computed in another way."
    centres = [one_line(item.price.cost_centre or "") if item.price else "" for item in (old, new)]
    if centres[0] != centres[1]:
        yield f"It is charged to {said(centres[1])} instead of {said(centres[0])}."


def _terms(item: CatalogItem) -> Any:
    return item.price.model_dump(exclude={"cost_centre"}) if item.price else None


def _questions(where: str, old: Sequence[Field], new: Sequence[Field], pair: _Pair) -> Iterator[str]:
    """Yield what becomes of a form's questions; `where` names the one that a row's questions belong to."""
    added, removed, both = matched(old, new)
    for field in added:
        need = _need(field.required, pair.now)
        yield f"A new question{where}: “{field.label}” ({field_type(field)}, {need})."
    for field in removed:
        yield f"“{field.label}”{where} is no longer asked."
    if reordered(both, old):
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
    yield from _rest(name, old, new, pair, told)


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


def _checks(pair: _Pair) -> Iterator[str]:
    old, new = pair.old.checks, pair.new.checks
    added, removed, both = paired(old, new, lambda check: check.message, lambda check: check.check)
    yield from (f"A new rule for the answers: {one_line(check.message)}" for check in added)
    yield from (f"A rule for the answers is gone: {one_line(check.message)}" for check in removed)
    for before, now in both:
        name = f"The rule for the answers {said(now.message)}"
        if before.message != now.message:
            yield f"{name} is told in other words; before: {said(before.message)}."
        if before.check != now.check:
            earlier = pair.before.condition(before.check)
            yield f"{name} asks that {pair.now.condition(now.check)}; before, that {earlier}."
        yield from _rest(name, before, now, pair, ("message", "check"))
    if old != new and sorted(map(str, old)) == sorted(map(str, new)):
        yield "The rules for the answers come in another order."


def _rules(what: str, old: Sequence[AudienceRule], new: Sequence[AudienceRule], pair: _Pair) -> Iterator[str]:
    added, removed, both = matched(old, new)
    for rule in added:
        yield f"Who may {what} has a new rule, {rule.id}: only if {pair.now.condition(rule.when)}."
    for rule in removed:
        yield f"Who may {what} has lost the rule {rule.id}: it was only if {pair.before.condition(rule.when)}."
    for before, now in both:
        if before.when != now.when:
            earlier = pair.before.condition(before.when)
            yield f"Who may {what}, rule {now.id}: only if {pair.now.condition(now.when)}; before, only if {earlier}."
        yield from _rest(f"Who may {what}, rule {now.id}", before, now, pair, ("when",))
    if reordered(both, old):
        yield f"The rules of who may {what} are asked in another order."


def _priority(pair: _Pair) -> Iterator[str]:
    old, new = pair.old.priority, pair.new.priority
    if old == new:
        return
    earlier, now = (
        priority(one, words.text) if one else "Orders have no priority."
        for one, words in ((old, pair.before), (new, pair.now))
    )
    yield f"{now} Before: {earlier}" if now != earlier else "Orders get their priority in another way."


def _irreversible(pair: _Pair) -> Iterator[str]:
    before = {step.id: getattr(step, "irreversible", "") for _, step in walk(pair.old.steps)}
    for _, step in walk(pair.new.steps):
        why = getattr(step, "irreversible", "")
        if why and before.get(step.id) != why:
            yield f"“{pair.now.step(step)}” cannot be taken back: {one_line(why)}"


def _bundle(pair: _Pair) -> Iterator[str]:
    added, removed, both = matched(pair.old.lines, pair.new.lines)
    yield from (f"It also brings {line.item}." for line in added)
    yield from (f"It no longer brings {line.item}." for line in removed)
    for before, now in both:
        yield from _rest(f"Its part {now.id}", before, now, pair)
    if reordered(both, pair.old.lines):
        yield "Its parts are listed in another order."


def _for_approvers(pair: _Pair) -> Iterator[str]:
    if pair.old.risk != pair.new.risk:
        yield f"Its risk is {pair.new.risk} instead of {pair.old.risk}."
    added, removed, both = matched(pair.old.approvals, pair.new.approvals)
    yield from (_new_stage(stage, pair.now) for stage in added)
    yield from (f"{_titled(stage, pair.old)} is no longer asked." for stage in removed)
    if reordered(both, pair.old.approvals):
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
    return f"A new approval, “{stage.name}”. {said} They have {words.deadline(stage)}."


def _titled(stage: Stage, item: CatalogItem) -> str:
    """Return what a stage is called, with its id if others of its item are called the same."""
    alike = sum(one.name == stage.name for one in item.approvals)
    return f"“{stage.name}” ({stage.id})" if alike > 1 else f"“{stage.name}”"


def _stage(old: Stage, new: Stage, pair: _Pair) -> Iterator[str]:
    name = _titled(new, pair.new)
    if old.name != new.name:
        yield f"{_titled(old, pair.old)} is now called {name}."
    yield from _who(name, old, new, pair)
    if old.decide_within != new.decide_within:
        yield f"{name} has {lasting(new.decide_within)} to decide instead of {lasting(old.decide_within)}."
    if old.when != new.when:
        yield f"{name} is asked {_when(new.when, pair.now)} instead of {_when(old.when, pair.before)}."
    earlier, later = pair.before.begins(old), pair.now.begins(new)
    # What begins later only because something was put before it is told by that.
    if old.after != new.after and earlier != later:
        yield f"{name} begins {later} instead of {earlier}."
    yield from _auto(name, old, new, pair)
    for part, told in TERMS.items():
        if getattr(old, part) != getattr(new, part):
            yield f"{name}: {told(new, pair.now)} Before: {told(old, pair.before)}"
    yield from _rest(name, old, new, pair, (*STAGE_PARTS, *TERMS))


STAGE_PARTS = ("name", "approvers", "quorum", "decide", "decide_within", "when", "after", "auto_approve")
"""The parts of a stage that have sentences of their own; what else it has is told by its `TERMS`."""


def _who(name: str, old: Stage, new: Stage, pair: _Pair) -> Iterator[str]:
    """Yield who else is asked, and how many of them must approve."""
    before, now = people(old.rules, pair.before), people(new.rules, pair.now)
    if before != now:
        yield f"{name} asks {now} instead of {before}."
    needed = {words: _needed(stage, words) for stage, words in ((old, pair.before), (new, pair.now))}
    if needed[pair.before] != needed[pair.now]:
        yield f"{name}: {needed[pair.now]} Before: {needed[pair.before]}"
    elif before == now and (old.approvers, old.decide) != (new.approvers, new.decide):
        yield f"{name} is written in another way."


def _needed(stage: Stage, words: Words) -> str:
    return quorum(stage.quorum) if stage.decide is None else " ".join(needs(stage, words))


def _auto(name: str, old: Stage, new: Stage, pair: _Pair) -> Iterator[str]:
    added, removed, both = matched(old.auto_approve, new.auto_approve)
    for auto in added:
        yield f"{name} is approved by itself if {pair.now.condition(auto.when)} ({auto.id}: {one_line(auto.because)})"
    for auto in removed:
        yield f"{name} is no longer approved by itself if {pair.before.condition(auto.when)} ({auto.id})."
    for before, now in both:
        if before.when != now.when:
            earlier = pair.before.condition(before.when)
            yield f"{name} is approved by itself if {pair.now.condition(now.when)}; before, if {earlier} ({now.id})."
        yield from _rest(f"{name}, reason {now.id}", before, now, pair, ("when",))
    if reordered(both, old.auto_approve):
        yield f"{name} tries the reasons to approve by itself in another order."


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
    yield from _clocks(pair)
    if pair.old.workflow_type != pair.new.workflow_type:
        yield f"It is fulfilled by {pair.new.workflow_type} instead of {pair.old.workflow_type}."
    yield from differing(Name("Its workflow", "parameter"), pair.old.parameters, pair.new.parameters)


def _clocks(pair: _Pair) -> Iterator[str]:
    """Yield what else is measured: everybody's work is, from who answers first to who delivers last."""
    added, removed, both = matched(pair.old.clocks, pair.new.clocks)
    yield from (f"A new clock: {clock(one)}" for one in added)
    yield from (f"A clock is gone: {clock(one)}" for one in removed)
    for before, now in both:
        name = f"The clock {now.id}"
        if clock(before) != clock(now):
            yield f"{name}: {clock(now)} Before: {clock(before)}"
        yield from _rest(name, before, now, pair, CLOCK_PARTS)
    if reordered(both, pair.old.clocks):
        yield "The clocks are listed in another order."


CLOCK_PARTS = ("id", "name", "per", "start", "pause", "stop", "target", "by_priority", "calendar", "warn")
"""The parts of a clock that its sentence tells."""


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
        yield f"{subject} stands in {said(here)} instead of {said(there)}."
    if before.do != now.do:
        yield f"{subject} is another kind of step: {pair.now.doing(now)}, instead of: {pair.before.doing(before)}."
    if before.when != now.when:
        yield f"{subject} is done {_when(now.when, pair.now)} instead of {_when(before.when, pair.before)}."
    told = ["do", "when", "stage"]
    if isinstance(now, (ParallelStep, ForEachStep)):
        told += ["branches", "steps"]
    yield from _rest(subject, before, now, pair, told)


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
    yield from _rest("The item", old, new, pair, (*others, "id"))
    yield from _messages(pair)


def _messages(pair: _Pair) -> Iterator[str]:
    old, new = pair.old.notifications, pair.new.notifications
    added, removed, both = paired(old, new, lambda one: (one.on, one.to, one.subject), lambda one: (one.on, one.text))
    yield from (
        f"A message of its own goes to {said(one.to)} when it is {one.on}: {one_line(one.subject)}" for one in added
    )
    yield from (f"A message to {said(one.to)} when it is {one.on} is gone: {one_line(one.subject)}" for one in removed)
    for before, now in both:
        name = f"The message {said(now.subject)} when it is {now.on}"
        if before.when != now.when:
            yield f"{name} is sent {_when(now.when, pair.now)} instead of {_when(before.when, pair.before)}."
        yield from _rest(name, before, now, pair, ("when",))
    if not (added or removed or both) and old != new:
        yield "The messages of its own come in another order."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
