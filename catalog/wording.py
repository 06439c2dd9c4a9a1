"""What an item says, in words: approvers, conditions, steps, prices, fields.

The picture, the comparison of versions, the preview and the documentation all speak of an item; this is their common
vocabulary. Only what the item itself says stands here: nobody is looked up and nothing is evaluated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, assert_never

from catalog import stage_words
from catalog.duration import words as lasting
from catalog.fields import Field
from catalog.item import CatalogItem, Price
from catalog.registry import Known
from catalog.stages import (
    ApproverRule,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByItemOwner,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
    Stage,
    before,
)
from catalog.steps import (
    ApproveStep,
    CallWork,
    ForEachStep,
    GrantWork,
    HttpWork,
    NotifyWork,
    ParallelStep,
    RequestStep,
    RevokeWork,
    Step,
    TaskStep,
    TaskWork,
    WaitStep,
    Work,
    walk,
)
from catalog.text import listed, one_line, readable

_EXPRESSION = re.compile(r"{{(.*?)}}", re.DOTALL)
_ANSWER = re.compile(r"\b(?:form|order)\.([a-z][a-z0-9_]*)")
_FORMULA = re.compile("‹[^›]*›")
_PERSON = re.compile(r"(beneficiary|requester)(\.(login|name|mail))?")
_WHO = {"beneficiary": "the person it is for", "requester": "the person who orders"}
_PART = re.compile(r"\b(beneficiary|requester|cost|item)\.([a-z_]+)")
_WHOSE = {
    "beneficiary": "the beneficiary’s",
    "requester": "the requester’s",
    "cost": "the cost’s",
    "item": "the item’s",
}
_COMPARED = ((" == ", " is "), (" != ", " is not "))
_LITERAL = r"""'[^']*'|"[^"]*\""""
_CHOSEN = re.compile(rf"\b(form|order)\.([a-z][a-z0-9_]*) (==|!=) ({_LITERAL}|\[(?:{_LITERAL}|[, ])*\])")
_ITEM = re.compile(r"item\.(id|version|name|category|owner|risk)")
_DEFAULT = re.compile(r"^([a-z][a-z0-9_.]*) *\| *default\([^|]*\)$")
_ELSE_NOTHING = re.compile(r" *\| *default\((?:none|false|''|\"\"|\[\])\)")
_RESULT = re.compile(r"\b(?:result|results\.[a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")
_ENTRY = re.compile(r"([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*?))??(?:\.login)?")
_SOMEBODY = re.compile(r"^((?:form|order)\.[a-z][a-z0-9_]*)\.(?:login|name)$")


def without_formulas(text: str) -> str:
    """Return what is said of a stage without the formulas that `Words` shows as they are.

    Who knows a threshold can order just below it.
    """
    return _FORMULA.sub("whom the order decides on", text)


def begins(after: Sequence[str]) -> str:
    """Return when a stage begins that comes after those of these names."""
    return f"after the approval of {listed(after)}" if after else "at once"


def called(step: Step) -> str:
    """Return what a step is called where nothing but its own words may be shown."""
    return one_line(step.name) or readable(step.id)


def following(steps: tuple[Step, ...], step: Step) -> str:
    """Return what comes once one of an item's steps is over, as a sentence."""
    at = dict(walk(steps))
    *around, nth = next(place for place, one in at.items() if one.id == step.id)
    follows = at.get((*around, nth + 1))
    if follows is None:
        return "The request is fulfilled." if around == ["steps"] else "The work goes on."
    return f"The next step begins{'' if follows.when is True else ', if it is needed'}: {called(follows)}."


class Turn(NamedTuple):
    """What of a planned stage tells when its turn is."""

    id: str
    name: str
    after: Sequence[str]
    asks: bool


def turns(stages: Iterable[Turn]) -> list[str]:
    """Return when each stage begins; nothing for those that simply follow the one above or ask nobody."""
    names: dict[str, str] = {}
    above: tuple[str, ...] = ()
    said = []
    for stage in stages:
        usual = not stage.asks or tuple(stage.after) == above
        said.append("" if usual else begins([names[one] for one in stage.after]))
        names[stage.id] = stage.name
        above = (stage.id,) if stage.asks else above
    return said


def field_type(field: Field) -> str:
    """Return what kind of answer a field takes."""
    return {
        "yes_no": "yes or no",
        "multi_choice": "choices",
        "ci": "configuration item",
        "ip": "IP address",
        "url": "web address",
        "email": "mail address",
        "datetime": "date and time",
        "rows": "list",
    }.get(field.type, field.type)


def price(terms: Price | None) -> str:
    """Return what an order costs; ``free`` without a price."""
    if terms is None:
        return "free"
    parts = ((terms.one_off, "once"), (terms.recurring, f"a {terms.every}"))
    named = [f"{_amount(amount, terms.currency or '')} {how}" for amount, how in parts if amount is not None]
    return listed(named) if named else "free"


def price_of(item: CatalogItem) -> str:
    """Return what an order of an item costs; a bundle costs what its parts do, and perhaps something of its own."""
    if not item.lines:
        return price(item.price)
    own = price(item.price)
    return "what its parts cost" if own == "free" else f"{own}, and what its parts cost"


def _amount(amount: str, currency: str) -> str:
    return f"a computed amount in {currency}" if _EXPRESSION.search(amount) else f"{one_line(amount)} {currency}"


def _evidence(item: CatalogItem) -> dict[str, str]:
    """Return the labels of what people hand in, by id; those on which tasks differ are left out."""
    labels: dict[str, set[str]] = defaultdict(set)
    for _, step in walk(item.steps):
        for field in step.evidence if isinstance(step, TaskStep) else ():
            labels[field.id].add(field.label)
    return {name: found.pop() for name, found in labels.items() if len(found) == 1}


def _of_entry(variable: str, part: str | None) -> str:
    """Return what an entry of a loop, or a part of it, is called."""
    name = "the entry" if variable == "each" else f"the {variable.replace('_', ' ')}"
    return f"{name}’s {part.replace('_', ' ')}" if part else name


_PARTIES = {"requester": "the requester", "beneficiary": "the person it is for"}


class Words:
    """The words of one item; its fields are called by their labels, its actions by their summaries."""

    def __init__(
        self,
        item: CatalogItem,
        known: Known | None = None,
        names: Mapping[str, str] | None = None,
        called: Mapping[str, str] | None = None,
    ) -> None:
        """Take the item, what is registered, the names of other items by their ids, and of people by their logins."""
        self._item = item
        self._known = known or Known()
        self._names = names or {}
        self._called = called or {}
        self._form = {field.id: field for field in item.form}
        self._evidence = _evidence(item)
        self._variables = {step.variable for _, step in walk(item.steps) if isinstance(step, ForEachStep)}

    def condition(self, when: bool | str) -> str:
        """Return a condition as people read it: answers by their labels, comparisons in words."""
        if isinstance(when, bool):
            return "always" if when else "never"
        text = _CHOSEN.sub(self._chosen, _ELSE_NOTHING.sub("", one_line(when)))
        text = _RESULT.sub(lambda found: self._result(found[1]), text)
        text = _ANSWER.sub(lambda found: self._answer(found[1]), text)
        text = _PART.sub(lambda found: f"{_WHOSE[found[1]]} {found[2].replace('_', ' ')}", text)
        for sign, word in _COMPARED:
            text = text.replace(sign, word)
        return text

    def text(self, value: Any) -> str:
        """Return a text with its expressions named instead of evaluated."""
        return one_line(_EXPRESSION.sub(lambda found: self._named(found[1].strip()), str(value)))

    def answers(self, names: Iterable[str]) -> str:
        """Return what fields are called, as a list in a sentence."""
        return listed(map(self._answer, names))

    def _answer(self, name: str) -> str:
        return f"“{self._form[name].label if name in self._form else name}”"

    def _result(self, name: str) -> str:
        return f"“{self._evidence.get(name) or name.replace('_', ' ')}”"

    def _chosen(self, found: re.Match[str]) -> str:
        """Return an answer compared to one value or a list of them; choices by their labels."""
        _, name, sign, values = found.groups()
        labels = getattr(self._form.get(name), "labels", {})
        given = [literal[1:-1] for literal in re.findall(_LITERAL, values)]
        said = listed(f"“{labels.get(value, value)}”" for value in given if value)
        return f"{self._answer(name)} {'is' if sign == '==' else 'is not'} {said or 'empty'}"

    def _named(self, expression: str) -> str:
        if person := _PERSON.fullmatch(expression):
            return _WHO[person[1]]
        if own := _ITEM.fullmatch(expression):
            return one_line(getattr(self._item, own[1]))
        plain = _DEFAULT.sub(r"\1", expression)
        if (entry := _ENTRY.fullmatch(plain)) and entry[1] in self._variables:
            return _of_entry(entry[1], entry[2])
        plain = _SOMEBODY.sub(r"\1", plain)
        said = self.condition(plain)
        # What compares with a value is a formula, even where its words are all in quotes.
        called = said.startswith("“") and said.endswith("”") and not _CHOSEN.search(plain)
        return said if called or _PART.fullmatch(plain) else f"‹{said}›"

    def approver(self, rule: ApproverRule) -> str:
        """Return whom a rule names."""
        match rule:
            case ByManager(levels=1):
                return "the line manager"
            case ByManager():
                return f"the manager {rule.levels} levels up"
            case ByOwner():
                return f"the owners of {self.text(rule.group)}" if rule.group else "the owners of what is given"
            case ByItemOwner():
                return f"{self._person(self._item.owner)}, who answers for the item"
            case ByCiOwner():
                return f"the owners of {self.text(rule.ci)}"
            case ByGroup():
                return f"the group {self.text(rule.group)}"
            case ByRole():
                return f"whoever holds the role {self.text(rule.role)}"
            case ByPerson():
                return self._person(rule.person)
            case ByExpression():
                return self.text(rule.people)
            case _:
                assert_never(rule)

    def _person(self, login: str) -> str:
        """Return the name of whom an item names by login, if it is known."""
        return one_line(self._called[login]) if login in self._called else self.text(login)

    def approvers(self, rules: Iterable[ApproverRule]) -> str:
        """Return whom several rules name."""
        return listed(self.approver(rule) for rule in rules)

    def stage(self, stage: Stage) -> list[str]:
        """Return a stage as sentences: who, how many, when it is needed, on what terms. Without its deadline."""
        said = [stage_words.asks(stage, self), *stage_words.needs(stage, self)]
        if stage.after is not None:
            said.append(f"Begins {self.begins(stage)}.")
        if stage.when is not True:
            said.append(f"Only if {self.condition(stage.when)}.")
        said += [f"Approved by itself if {self.condition(auto.when)}." for auto in stage.auto_approve]
        return said + stage_words.terms(stage, self)

    def terms(self, stage: Stage) -> tuple[str, ...]:
        """Return as sentences how many must approve a stage and what else holds of it, but neither who nor when."""
        return (*stage_words.needs(stage, self), *stage_words.terms(stage, self))

    def deadline(self, stage: Stage) -> str:
        """Return how long those who are asked have, and what happens then."""
        return stage_words.deadline(stage, self)

    def begins(self, stage: Stage) -> str:
        """Return when a stage begins."""
        stages = self._item.approvals
        after = before(stages).get(stage.id, ())  # that of a step begins when the step does
        return begins([one.name for one in stages if one.id in after])

    def item(self, name: str) -> str:
        """Return what another item is called: its name if that is known, else its id."""
        return one_line(self._names.get(name, name))

    def step(self, step: Step) -> str:
        """Return the name of a step: what its author calls it, else what it does."""
        return step.name or self.doing(step)

    def doing(self, step: Step | Work) -> str:
        """Return what a step or its undo does, in a line."""
        match step:
            case WaitStep():
                return self._waiting(step)
            case ApproveStep():
                return self.text(step.stage.name)
            case RequestStep():
                return f"Order {self.item(step.item)} for {self.text(step.beneficiary)}"
            case ParallelStep():
                return "Do at the same time"
            case ForEachStep():
                return f"For each of {self.text(step.each)}"
            case _:
                return self._working(step)

    def _working(self, work: Work) -> str:
        match work:
            case TaskWork():
                return self.text(work.title)
            case GrantWork():
                return f"Put {self.text(work.to)} into {self.text(work.group)}"
            case RevokeWork():
                return f"Take {self.text(work.to)} out of {self.text(work.group)}"
            case CallWork():
                spec = self._known.actions.get(work.action)
                return spec.summary.rstrip(".") if spec else work.action
            case HttpWork():
                return f"{work.method} {self.text(work.url)}"
            case NotifyWork():
                to = listed(_PARTIES.get(one) or self.text(one) for one in work.to)
                return f"Write to {to}: {self.text(work.subject)}"
            case _:
                assert_never(work)

    def _waiting(self, step: WaitStep) -> str:
        if step.duration:
            return f"Wait {lasting(step.duration)}"
        return f"Wait for {step.event}" if step.event else f"Wait until {self.text(step.until)}"

    def undoing(self, step: Step) -> str:
        """Return how a step is taken back; empty if nothing takes it back by itself."""
        undo = getattr(step, "undo", None)
        if undo is not None:
            return self.doing(undo)
        match step:
            case GrantWork():
                return f"Take {self.text(step.to)} out of {self.text(step.group)}"
            case RevokeWork():
                return f"Put {self.text(step.to)} back into {self.text(step.group)}"
            case CallWork():
                spec = self._known.actions.get(step.action)
                back = self._known.actions.get(spec.undo or "") if spec else None
                return back.summary.rstrip(".") if back else ""
            case _:
                return ""

    def about(self, step: Step) -> list[str]:
        """Return more of a step as sentences: when, by whom, what its name hides, what cannot be taken back."""
        said = [] if step.when is True else [f"Only if {self.condition(step.when)}."]
        if isinstance(step, ApproveStep):
            return said + self.stage(step.stage)
        if step.name and not isinstance(step, ParallelStep):
            doing = self.doing(step)
            said.append(doing if doing.endswith(("?", "!", ".")) else f"{doing}.")
        if isinstance(step, TaskStep):
            said.append(f"Done by {self.approvers(step.assign)}.")
        if why := getattr(step, "irreversible", ""):
            said.append(f"Cannot be taken back: {one_line(why).rstrip('.')}.")
        return said

    def within(self, step: Step) -> str:
        """Return a step's deadline and what happens then; empty without one."""
        match step:
            case ApproveStep():
                return self.deadline(step.stage)
            case TaskWork(due=timedelta() as due):
                return f"due in {lasting(due)}"
            case WaitStep(timeout=timedelta() as timeout):
                then = {
                    "operator": "then an operator is asked",
                    "continue": "then it goes on",
                    "cancel": "then it ends",
                }
                return f"{lasting(timeout)}, {then[step.at_deadline]}"
            case TaskWork() | GrantWork() | RevokeWork() | CallWork() | HttpWork() if step.timeout:
                return f"{lasting(step.timeout)}, then an operator is asked"
            case _:
                return ""

    def workflow(self) -> str:
        """Return what the item's own workflow does, in a line."""
        if self._item.entitlement:
            return f"Put {_WHO['beneficiary']} into {self._item.entitlement.group}"
        spec = self._known.workflows.get(self._item.workflow_type)
        return spec.summary.rstrip(".") if spec else self._item.workflow_type
