"""What goes over HTTP: the bodies that are read, strictly, and those that are sent.

A model of an answer is made from a value of the catalog or the register by `of`; what a viewer may see and do is
asked of `catalog.rights`, never decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.limits import Plain, Text
from api.problems import DecideAlone, Problem, ProblemBody
from catalog import answers, calendar, delegation, form_schema, rights, stage_words, timeline, wording
from catalog.ballot import Verdict
from catalog.calendar_file import PublishedCalendar
from catalog.duration import Span
from catalog.fields import MAX_TEXT, Currency, Number
from catalog.fields import Field as FormField
from catalog.form import FieldError
from catalog.item import CatalogItem, Entitlement, Sla
from catalog.journal import Entry, Kind
from catalog.model import Slug, digest
from catalog.people import Actor
from catalog.preferences import Preferences
from catalog.preview import Asked, Preview
from catalog.promise import Promise
from catalog.registry import Known
from catalog.request import Assignee, Cost, Order, OrderLine, Outcome, Status, Task, Waiting, WaitKind
from catalog.stages import AutoApproval, Quorum, Stage, before
from catalog.steps import walk
from records.register import Background, Inbox, InboxQuery, Place, RequestView, TaskView
from records.values import Sort, Whose
from workflows.messages import MAX_REASON

T = TypeVar("T")

Cursor = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="`next` of the part before.")]
Limit = Annotated[int, Field(ge=1, le=200, description="Length of the part.")]
MAX_EVENT = 64 * 1024
"""Characters of an event's data, as JSON."""

Login = Annotated[Text, Field(min_length=1, max_length=128)]
Reason = Annotated[Text, Field(max_length=MAX_REASON)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SessionIn(_In):
    """A sign-in."""

    login: Annotated[Text, Field(min_length=1, max_length=128)]
    password: Annotated[Text, Field(max_length=1_024, repr=False)]


class OrderIn(_In):
    """An order; for oneself if nobody else is named.

    Attributes:
        beneficiaries: instead of `beneficiary`, the logins of several people; there is one request for each.
        skip_ineligible: leave out those of them who may not have it, instead of taking nothing.
        follows: number of a closed request of one's own that this is a copy of.
    """

    item: Annotated[Text, Field(min_length=1, max_length=63)]
    answers: dict[Text, Any] = {}
    beneficiary: Login | None = None
    beneficiaries: Annotated[tuple[Login, ...], Field(max_length=200)] = ()
    skip_ineligible: bool = False
    follows: Annotated[Text, Field(max_length=40)] | None = None

    @field_validator("beneficiaries")
    @classmethod
    def _or_one(cls, people: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if people and info.data.get("beneficiary"):
            raise PydanticCustomError("both", "name one 'beneficiary' or several 'beneficiaries', not both")
        return people


class DraftIn(OrderIn):
    """An order that is not finished; nothing of it is checked before it is ordered."""

    answers: Plain = {}


class SecretIn(_In):
    """Something that nobody may read on its way."""

    value: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT, repr=False)]


class EventIn(_In):
    """What is known of an event."""

    data: Plain = {}

    @field_validator("data")
    @classmethod
    def _bounded(cls, data: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(data)) > MAX_EVENT:
            raise PydanticCustomError("string_too_long", "The data is longer than 64 KiB")
        return data


class CancelIn(_In):
    """The wish to call a request off."""

    reason: Reason = ""


class CommentIn(_In):
    """Something to say on record."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_REASON)]


class AmendmentIn(_In):
    """A change of what was ordered: the answers that are others now, null for one that is taken away."""

    answers: dict[Text, Any]
    reason: Reason = ""


class ChoiceIn(_In):
    """What somebody decides; `subject` is the task's, as the decider saw it."""

    choice: Annotated[Text, Field(max_length=63)]
    reason: Reason = ""
    subject: Annotated[Text, Field(max_length=100)] | None = None


class DecisionIn(ChoiceIn):
    """A decision; `answers` are what an approver makes smaller by approving it (feature row A11)."""

    answers: dict[Text, Any] = {}


class DecisionOfIn(ChoiceIn):
    """One decision of several."""

    task: Annotated[Text, Field(max_length=60)]


class DecisionsIn(_In):
    """Several decisions in one go (feature row A17)."""

    decisions: Annotated[tuple[DecisionOfIn, ...], Field(min_length=1, max_length=100)]


class WhyIn(_In):
    """Why something is done."""

    reason: Reason = ""


class ReassignmentIn(WhyIn):
    """To whom a decision goes; whose it was, if it is not one's own."""

    to: Login
    instead_of: Login | None = Field(None, alias="from")


class ApproverIn(WhyIn):
    """Who is to approve as well."""

    person: Login


class ConsultationIn(_In):
    """Whose advice is asked, and on what."""

    person: Login
    question: Reason


class TextIn(_In):
    """A question, or an answer to one."""

    text: Reason


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "there is no such time in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant, with its offset from UTC."""

_EACH = Field(max_length=100)


class MoneyIn(_In):
    """An amount in one currency."""

    amount: Annotated[Number, Field(ge=0, max_digits=15)]
    currency: Currency


class ScopeIn(_In):
    """What a delegation is about; an empty one is about everything (feature row A8)."""

    items: Annotated[tuple[Slug, ...], _EACH] = ()
    categories: Annotated[tuple[Annotated[Text, Field(min_length=1, max_length=100)], ...], _EACH] = ()
    up_to: MoneyIn | None = None


class DelegationIn(_In):
    """Who may decide in one's place, and from when until when; from now on if nothing else is said.

    Attributes:
        delegate: the login of who may decide.
        person: for operators: the login of the person in whose place, if it is not oneself.
    """

    delegate: Login
    begins: Moment | None = None
    ends: Moment
    scope: ScopeIn = ScopeIn()
    reason: Reason = ""
    person: Login | None = None


class DelegationsQuery(_In):
    """Which delegations: those in force or to come, or those that are over; `all` is for operators."""

    state: Literal["open", "closed"] = "open"
    all: bool = False
    cursor: Cursor = None
    limit: Limit = 50


class CalendarDaysQuery(_In):
    """Which days of a calendar: from one to another, both included, 62 at most; 31 if no end is given."""

    since: Annotated[date, Field(alias="from", ge=date(1970, 1, 1), le=date(2199, 12, 31))]
    until: date | None = None

    def days(self) -> list[date]:
        """Return the days; none if they end before they begin, or are too many."""
        until = self.until or self.since + timedelta(days=30)
        length = (until - self.since).days + 1
        return [self.since + timedelta(days=n) for n in range(length)] if length <= MOST_DAYS else []


MOST_DAYS = 62
"""Days of a calendar in one answer: two months."""


class PreferencesIn(_In):
    """What you wish, all of it; what is left out is as the company's rules have it.

    Attributes:
        calendar: the id of the calendar in which your time is counted.
        quiet: times of the day at which you are sent nothing, such as 20:00-07:00.
        digest: at which time of the day you are told together of the decisions that wait for you.
    """

    calendar: Slug | None = None
    quiet: tuple[Annotated[Text, Field(max_length=20)], ...] = ()
    digest: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])] | None = None


class EvidenceIn(_In):
    """What a piece of work asks for when it is done."""

    answers: dict[Text, Any] = {}


class DeclineIn(_In):
    """Why a piece of work cannot be done."""

    reason: Reason = ""


class JournalQuery(_In):
    """Which part of a journal."""

    cursor: Cursor = None
    limit: Limit = 200


class RequestsQuery(_In):
    """Which requests; `all` is for operators: those of all people.

    Attributes:
        parts: also the parts of what one ordered oneself, which their parent shows.
    """

    state: Literal["open", "closed"] | None = None
    parts: bool = False
    all: bool = False
    cursor: Cursor = None
    limit: Limit = 50


class LateTimersQuery(_In):
    """How many timers at most."""

    limit: Limit = 50


class TasksQuery(_In):
    """Which tasks: those that wait for oneself, or those one was asked that are closed.

    Attributes:
        sort: of open tasks: by when they are due, by age, or by item.
        whose: those one is asked in one's own right, those one has only because they were delegated, or all.
        overdue: only those whose time is over.
    """

    state: Literal["open", "closed"] = "open"
    sort: Sort = "due"
    whose: Whose = "all"
    overdue: bool = False
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,19}(~.{0,100})?$", description="As elsewhere.")] = None
    limit: Limit = 50

    def asked_by(self, viewer: Actor, at: datetime) -> InboxQuery:
        """Return what is asked of the register."""
        row, _, key = (self.cursor or "").partition("~")
        return InboxQuery(
            person_id=viewer.person.id,
            operator=viewer.operator,
            state=self.state,
            sort=self.sort,
            whose=self.whose,
            overdue_at=at if self.overdue else None,
            after=Place(row=int(row), key=key) if row else None,
            limit=self.limit,
        )


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PersonOut(_Out):
    """A person as others see them."""

    id: str
    login: str
    name: str


class SessionOut(_Out):
    """A token and whom it speaks for."""

    token: str
    expires_at: datetime
    person: PersonOut
    operator: bool


class ItemSummaryOut(_Out):
    """An item in the list."""

    id: str
    version: str
    name: str
    summary: str
    description: str
    category: str
    tags: tuple[str, ...]
    icon: str | None
    price: str = Field(description="What an order costs, in words.")

    @classmethod
    def of(cls, item: CatalogItem) -> Self:
        """Return the item as it is listed."""
        return cls.model_validate(dict(item) | {"price": wording.price(item.price)})


class StageOut(_Out):
    """An approval stage of an item.

    Attributes:
        approvers: who is asked, in words.
        decide_within: how long they have; clock time in ISO 8601, working time in words.
        deadline: how long they have and what happens then, in words.
        terms: how many must approve and what else holds of it, a sentence each.
        after: the stages that must have approved before it begins; none: it begins at once.
        conditional: whether some orders do without it, or without asking anybody.
        when, auto_approve: under which conditions; only for operators and the item's owner, because who knows a
            threshold can order just below it.
    """

    id: str
    name: str
    approvers: str
    quorum: Quorum
    decide_within: Span
    deadline: str
    terms: tuple[str, ...]
    after: tuple[str, ...]
    conditional: bool
    when: bool | str | None = None
    auto_approve: tuple[AutoApproval, ...] | None = None

    @classmethod
    def of(cls, stage: Stage, after: tuple[str, ...], words: wording.Words, *, in_full: bool) -> Self:
        """Return a stage, in full with its conditions."""
        seen = {
            "approvers": _shown(stage_words.people(stage.rules, words), in_full=in_full),
            "deadline": _shown(words.deadline(stage), in_full=in_full),
            "terms": [_shown(term, in_full=in_full) for term in words.terms(stage)],
            "after": after,
            "conditional": stage.when is not True or bool(stage.auto_approve),
            "when": stage.when if in_full else None,
            "auto_approve": stage.auto_approve if in_full else None,
        }
        return cls.model_validate(dict(stage) | seen)


_FORMULA = re.compile("‹[^›]*›")
"""How `wording` shows an expression that has no words of its own."""


def _shown(text: str, *, in_full: bool) -> str:
    """Return what is said of a stage, without its formulas unless it is shown in full."""
    return text if in_full else _FORMULA.sub("whom the order decides on", text)


class ItemOut(ItemSummaryOut):
    """An item with what it asks, who decides, what is done, and whether the viewer may have it."""

    owner: str
    lifecycle: str
    successor: str | None
    form: tuple[FormField, ...]
    form_schema: dict[str, Any] = Field(
        serialization_alias="schema",
        description="JSON Schema (2020-12) of the answers; `x-commissary` says how each field is drawn.",
    )
    approvals: tuple[StageOut, ...]
    steps: tuple[str, ...] = Field(description="What is done once it is approved, in words.")
    irreversible: tuple[str, ...] = Field(description="What of it cannot be taken back, and why.")
    entitlement: Entitlement | None
    sla: Sla
    digest: str
    may_order: bool = Field(description="Whether the viewer may order it for themselves, as far as rules ask people.")
    why_not: tuple[str, ...]

    @classmethod
    def seen_by(cls, item: CatalogItem, known: Known, viewer: Actor, why_not: tuple[str, ...]) -> Self:
        """Return the item as it is shown to somebody who may not order it for these reasons, if there are any."""
        words = wording.Words(item, known)
        in_full = viewer.operator or viewer.person.login.casefold() == item.owner.casefold()
        steps = [step for _, step in walk(item.steps)]
        stages = [(stage, before(item.approvals)[stage.id]) for stage in item.approvals]
        done = [words.step(step) for step in steps] or [f"Order {line.item}" for line in item.lines]
        seen = {
            "price": wording.price(item.price),
            "form_schema": form_schema.schema(item.form),
            "approvals": [StageOut.of(*stage, words, in_full=in_full) for stage in stages],
            "steps": done or [words.workflow()],
            "irreversible": [why for step in steps if (why := getattr(step, "irreversible", ""))],
            "digest": digest(item),
            "may_order": not why_not,
            "why_not": why_not,
        }
        return cls.model_validate(dict(item) | seen)


class ChoicesQueryIn(_In):
    """What is looked for among the choices of a field, and for whom it is; for oneself if nobody is named."""

    search: Annotated[Text, Field(max_length=100)] = ""
    beneficiary: Login | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ItemRefOut(_Out):
    """The item of a request, as it was when it was ordered."""

    id: str
    version: str
    name: str


class WaitingOut(_Out):
    """One thing a request waits for (feature row W1)."""

    kind: WaitKind
    what: str
    who: tuple[PersonOut, ...]
    since: datetime
    until: datetime | None
    calendar: str = Field(description="The name of the calendar in which that is counted; empty if it is clock time.")
    rule: str
    at_deadline: str
    then: str
    task: str | None
    can: tuple[str, ...] = Field(description="What the viewer can do about it now.")


class DraftOut(_Out):
    """An order that is not finished."""

    id: str
    item: str
    answers: dict[str, Any]
    beneficiary: str | None
    beneficiaries: tuple[str, ...]
    skip_ineligible: bool
    follows: str | None
    updated_at: datetime


class PromiseOut(_Out):
    """By when a request is likely to be done (feature row S8)."""

    p50: datetime = Field(description="As often as not it is done by then.")
    p90: datetime = Field(description="Nine times of ten it is done by then.")
    cases: int = Field(description="How many earlier requests that was read from, or too few of them.")
    basis: Literal["history", "sla"] = Field(description="`sla`: too few tell; both moments are what was promised.")


class DelegationOut(_Out):
    """A delegation: `delegate` may decide in the place of `person`."""

    id: str
    person: PersonOut
    delegate: PersonOut
    begins: datetime
    ends: datetime
    scope: delegation.Scope
    reason: str
    set_by: PersonOut
    created_at: datetime
    withdrawn_at: datetime | None
    state: delegation.State

    @classmethod
    def of(cls, one: delegation.Delegation, at: datetime) -> Self:
        """Return a delegation as it stands at a moment."""
        return cls.model_validate(dict(one) | {"state": delegation.state(one, at)})


class DelegationSetOut(DelegationOut):
    """A delegation that was set, and what one should know about it."""

    warnings: tuple[str, ...] = ()


class CalendarOut(_Out):
    """Working hours; `mine` if your time is counted in them."""

    id: str
    name: str
    description: str
    zone: str
    default: bool = Field(description="Whether they are everybody's whom no other calendar names.")
    union: tuple[str, ...] = Field(description="The calendars of which always one is open while this is.")
    known_until: date | None = Field(description="The last day for which holidays are known; null without any.")
    mine: bool

    @classmethod
    def of(cls, one: PublishedCalendar, *, mine: bool) -> Self:
        """Return a calendar as its viewer sees it."""
        return cls.model_validate(dict(one.file) | {"known_until": one.calendar.known_until, "mine": mine})


class OpenOut(_Out):
    """A time at which work is done, without its last moment; in the calendar's zone."""

    start: datetime
    end: datetime


class CalendarDayOut(_Out):
    """What begins on a day; the hours after midnight belong to the day before."""

    day: date
    open: list[OpenOut]
    holiday: bool = Field(description="Closed, though its weekday is not.")


class CalendarDaysOut(_Out):
    """When a calendar is open."""

    id: str
    name: str
    zone: str
    days: list[CalendarDayOut]

    @classmethod
    def of(cls, one: PublishedCalendar, days: Iterable[date]) -> Self:
        """Return when a calendar is open on these days."""
        own, zone = one.calendar, ZoneInfo(one.calendar.zone)
        shown = [
            CalendarDayOut(
                day=day,
                open=[
                    OpenOut(start=start.astimezone(zone), end=end.astimezone(zone))
                    for start, end in calendar.open_on(own, day)
                ],
                holiday=calendar.is_holiday(own, day),
            )
            for day in days
        ]
        return cls(id=own.id, name=own.name, zone=own.zone, days=shown)


class PreferencesOut(_Out):
    """What you wish.

    Attributes:
        calendar: the calendar you chose; null for the one that the company's rules give you.
        zone: the zone in which `quiet` and `digest` are meant: that of your calendar when you set them.
        in_force: the calendar in which your time is counted; null if it is clock time.
    """

    calendar: str | None
    quiet: list[str]
    digest: str | None
    zone: str
    in_force: CalendarOut | None

    @classmethod
    def of(cls, wishes: Preferences, in_force: PublishedCalendar | None) -> Self:
        """Return somebody's wishes, and what calendar they have."""
        return cls(
            calendar=wishes.calendar,
            quiet=[str(one) for one in wishes.quiet],
            digest=f"{wishes.digest:%H:%M}" if wishes.digest else None,
            zone=wishes.zone,
            in_force=CalendarOut.of(in_force, mine=True) if in_force else None,
        )


class LateTimerOut(_Out):
    """A timer of an open request that should have fired at `until`; `seen_at` is when that was noticed."""

    number: str
    what: str
    until: datetime
    seen_at: datetime


class UploadOut(_Out):
    """A file that was uploaded; answer an attachment field with its `id`."""

    id: str
    name: str
    media_type: str
    size: int
    digest: str


class SecretOut(_Out):
    """A secret that was taken; answer a secret field with this very object."""

    secret: str


class AssigneeOut(_Out):
    """Somebody asked, and what they said."""

    person: PersonOut
    verdict: Verdict | None
    at: datetime | None
    by: PersonOut | None = Field(description="Who said it in their place.")
    on_behalf_of: tuple[PersonOut, ...] = Field(description="In whose place they may decide, or have decided.")
    own: bool = Field(description="Whether they are asked in their own right.")
    escalated: bool = Field(description="Whether it came to them because others did not decide in time.")


class TaskOut(_Out):
    """Something a human has to decide or to do."""

    id: str
    kind: Literal["approval", "operator", "fulfilment", "information", "advice"]
    title: str
    stage: str | None
    quorum: Quorum
    assignees: tuple[AssigneeOut, ...]
    choices: tuple[str, ...]
    problem: str | None
    instructions: str
    evidence: tuple[FormField, ...]
    answers: dict[str, Any]
    claimed_by: PersonOut | None
    subject: str
    opened_at: datetime
    due_at: datetime | None
    decided: str | None
    decided_by: tuple[PersonOut, ...]
    reason: str
    closed_at: datetime | None
    bulk: bool = Field(description="Whether it may be decided together with others.")
    can: tuple[str, ...] = Field(description="What the viewer can do about it now.")


class PartOut(_Out):
    """A part of a request: a request of its own, once it is ordered."""

    line: str
    number: str | None
    item: ItemRefOut
    beneficiary: PersonOut
    status: Status | None
    outcome: Outcome | None
    reason: str

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """Return a part that is ordered."""
        return cls.model_validate(_facts(view))

    @classmethod
    def ahead(cls, line: OrderLine) -> Self:
        """Return a part that is not ordered yet."""
        item = {"id": line.item, "version": line.version, "name": line.item_name}
        nothing = {"number": None, "status": None, "outcome": None, "reason": ""}
        return cls.model_validate({"line": line.id, "item": item, "beneficiary": line.beneficiary} | nothing)


class RequestSummaryOut(_Out):
    """What a request is about."""

    number: str
    status: Status
    outcome: Outcome | None
    item: ItemRefOut
    answers: dict[str, Any]
    requester: PersonOut
    beneficiary: PersonOut
    accepted_at: datetime
    cost: Cost | None
    parent: str = Field(description="Number of the request that it is a part of, or empty.")
    follows: str = Field(description="Number of the request that it is a copy of, or empty.")

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """Return what a request is about."""
        return cls.model_validate(_facts(view))


class RequestOut(RequestSummaryOut):
    """A request: where it stands, what it waits for, and what the viewer can do about it now."""

    shown_answers: list[list[str]] = Field(description="The answers as people read them: pairs of label and value.")
    item_digest: str
    seq: int = Field(description="The newest journal entry this state comes from.")
    reason: str
    waiting: tuple[WaitingOut, ...]
    tasks: tuple[TaskOut, ...]
    parts: tuple[PartOut, ...] = Field(description="In the list of requests always empty.")
    you_may: tuple[str, ...] = Field(description="`cancel`, `comment`, `decide:<task>`, `work:<task>`.")
    due_at: datetime | None
    promise: PromiseOut | None = Field(description="Null once it is closed, or being undone.")
    updated_at: datetime
    closed_at: datetime | None

    @classmethod
    def seen_by(
        cls, look: Look, view: RequestView, promise: Promise | None, children: Iterable[RequestView] = ()
    ) -> Self:
        """Return the request as this viewer sees it now."""
        can = {task.id: look.acts(view, task) for task in view.projection.tasks}
        as_a_whole = rights.acts_on_request(look.viewer, view.order, view.projection)
        seen = {
            "tasks": [_task(task, can[task.id]) for task in view.projection.tasks if look.sees(task)],
            "waiting": [_waiting(one, view, can, as_a_whole) for one in view.projection.waiting],
            "you_may": _you_may(view, can, as_a_whole),
            "shown_answers": view.order.shown_answers(),
            "parts": _parts(view.order, children),
            "promise": promise,
        }
        return cls.model_validate(_facts(view) | seen)


class LeftOutOut(_Out):
    """Somebody for whom nothing was ordered; the answer to a repeat does not say why."""

    login: str
    why: str


class OrderedOut(RequestOut):
    """The request that an order has become, and for whom it has not."""

    left_out: tuple[LeftOutOut, ...] = ()


class CopyOut(_Out):
    """An order as it can be sent to order the same again; secrets have to be given anew."""

    item: str
    answers: dict[str, Any]
    beneficiary: str | None
    beneficiaries: tuple[str, ...]
    follows: str | None


class PlannedStageOut(_Out):
    """What becomes of an approval stage.

    Attributes:
        needed: false if this order does not need it.
        after: the stages that must have approved before it begins; none: it begins at once.
        auto: the rule by which it is approved without asking anybody.
        because: why it is not needed, or approved by itself.
        people: who will be asked; if it is needed and there is nobody, an operator is.
        due_at: when it is over at the latest.
        terms: how many must approve and what else holds of it, a sentence each.
    """

    id: str
    name: str
    quorum: Quorum
    terms: tuple[str, ...]
    needed: bool
    after: tuple[str, ...]
    auto: str
    because: str
    people: tuple[PersonOut, ...]
    due_at: datetime | None

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """Return a stage as the requester sees it."""
        seen = {
            "people": asked.slate.people,
            "due_at": asked.due_at,
            "terms": [_shown(term, in_full=False) for term in asked.terms],
        }
        return cls.model_validate(dict(asked.plan.stage) | dict(asked.plan) | seen)


class PlannedOut(_Out):
    """One request that an order would become; `decided_by` is when the last approval is over at the latest."""

    item: ItemRefOut
    beneficiary: PersonOut
    cost: Cost | None
    due_at: datetime
    promise: PromiseOut
    decided_by: datetime | None
    stages: tuple[PlannedStageOut, ...]
    later: tuple[str, ...] = Field(description="What is asked in the middle of the work, by its name.")

    @classmethod
    def of(cls, order: Order, planned: Preview, promise: Promise) -> Self:
        """Return what is planned for an order."""
        stages = [PlannedStageOut.of(asked) for asked in planned.stages]
        return cls.model_validate(
            {**dict(order), **dict(planned), "stages": stages, "cost": order.cost, "promise": promise}
        )


class PreviewOut(_Out):
    """What would become of an order (feature row A3); `errors` is everything that is wrong with it."""

    may_be_ordered: bool
    errors: tuple[FieldError, ...] = ()
    left_out: tuple[LeftOutOut, ...] = ()
    orders: tuple[PlannedOut, ...] = ()


class TaskInListOut(TaskOut):
    """A task with the request it is about."""

    request: RequestSummaryOut
    you_may: tuple[str, ...] = Field(description="The choices the viewer has now.")
    yours: Literal["own", "delegated", "escalated", "operator"] | None = Field(
        description="Why it is the viewer's: in their own right; because others have delegated it; because others did "
        "not decide in time; as an operator. Null if it is not."
    )
    on_behalf_of: tuple[PersonOut, ...] = Field(description="In whose place the viewer may decide, or has decided.")

    @classmethod
    def seen_by(cls, look: Look, view: TaskView) -> Self:
        """Return the task as this viewer sees it now."""
        return cls.model_validate(_in_list(look, view))


class EntryOut(Entry):
    """An entry exactly as it was sealed, so that a reader can check the chain, and what it says in words."""

    text: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the entry with its text."""
        return cls.model_validate(dict(entry) | {"text": timeline.describe(entry)})


class EarlierOut(_Out):
    """An earlier request, in short."""

    number: str
    accepted_at: datetime
    status: Status
    outcome: Outcome | None


class BackgroundOut(_Out):
    """What helps to decide (feature row A19)."""

    cost: Cost | None
    changes: int = Field(description="How often what was ordered has changed since.")
    history: tuple[EntryOut, ...] = Field(description="Votes, votes that fell, changes and advice, oldest first.")
    earlier: tuple[EarlierOut, ...] = Field(description="The beneficiary's newest earlier requests for the same item.")
    colleagues: int | None = Field(
        description="How many others of the beneficiary's department had it fulfilled; null if that is not known."
    )

    @classmethod
    def of(cls, view: RequestView, background: Background) -> Self:
        """Return what is known of a request."""
        history = [EntryOut.of(entry) for entry in background.entries]
        changes = sum(entry.kind is Kind.AMENDED for entry in background.entries)
        return cls.model_validate(dict(background) | {"cost": view.order.cost, "changes": changes, "history": history})


class TaskShownOut(TaskInListOut):
    """A task with everything that helps to decide it."""

    context: BackgroundOut | None = Field(description="Of approvals, for those who are asked and operators.")
    may_reduce: tuple[FormField, ...] = Field(description="What the viewer may make smaller by approving it.")

    @classmethod
    def in_full(cls, look: Look, view: TaskView, background: Background | None) -> Self:
        """Return the task as this viewer sees it now."""
        context = BackgroundOut.of(view.request, background) if background else None
        seen = _in_list(look, view)
        return cls.model_validate(
            seen | {"context": context, "may_reduce": _may_reduce(view) if seen["you_may"] else ()}
        )


class CommandOut(_Out):
    """What a command caused, and where the request stands after it."""

    entry: EntryOut
    request: RequestOut


class DecidedOut(_Out):
    """What became of one decision of several: the entry it caused, or the problem with it."""

    task: str
    entry: EntryOut | None = None
    problem: ProblemBody | None = Field(
        None, description=f"As the decision alone would have answered, or `{DecideAlone.type_uri()}`."
    )

    @classmethod
    def of(cls, task: str, answer: Entry | Problem) -> Self:
        """Return what came of deciding a task."""
        if isinstance(answer, Problem):
            return cls(task=task, problem=answer.body())
        return cls(task=task, entry=EntryOut.of(answer))


class DecisionsOut(_Out):
    """What became of several decisions, in their order."""

    items: tuple[DecidedOut, ...]

    @classmethod
    def of(cls, tasks: Iterable[str], answers: Iterable[Entry | Problem]) -> Self:
        """Return the answers to decisions of these tasks."""
        return cls(items=tuple(DecidedOut.of(task, answer) for task, answer in zip(tasks, answers, strict=True)))


class InboxOut(BaseModel):
    """A part of an inbox; `next` is the place of the part after it, null at the end."""

    items: list[TaskInListOut]
    next: str | None = None

    @classmethod
    def seen_by(cls, look: Look, inbox: Inbox) -> Self:
        """Return a part of an inbox as its owner sees it now."""
        place = inbox.next
        following = None if place is None else f"{place.row}~{place.key}"
        return cls(items=[TaskInListOut.seen_by(look, view) for view in inbox.items], next=following)


class PageOut(BaseModel, Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[T]
    next: int | None = None


def _facts(view: RequestView) -> dict[str, Any]:
    order = view.order
    return dict(order) | dict(view.projection) | {"answers": answers.as_seen(order.item.form, order.answers)}


class Look(NamedTuple):
    """Who looks, and when."""

    viewer: Actor
    at: datetime

    def sees(self, task: Task) -> bool:
        """Return whether somebody who sees the request sees this task of it."""
        return rights.may_see_task(self.viewer, task)

    def acts(self, view: RequestView, task: Task) -> tuple[str, ...]:
        """Return what the viewer can do about a task now."""
        if view.projection.status is Status.CLOSED:
            return ()
        return rights.acts(self.viewer, view.order, task, view.projection.tasks, self.at)


def _task(task: Task, can: tuple[str, ...]) -> dict[str, Any]:
    return dict(task) | {"answers": answers.as_seen(task.evidence, task.answers), "can": can}


def _in_list(look: Look, view: TaskView) -> dict[str, Any]:
    task, can = view.task, look.acts(view.request, view.task)
    mine = next((one for one in task.assignees if one.person.id == look.viewer.person.id), None)
    return _task(task, can) | {
        "request": RequestSummaryOut.of(view.request),
        "you_may": _choices(task, can),
        "yours": _why(look.viewer, task, mine),
        "on_behalf_of": mine.on_behalf_of if mine else (),
    }


def _may_reduce(view: TaskView) -> list[FormField]:
    """Return the answers that those who decide a task may make smaller."""
    order, task = view.request.order, view.task
    named = {one for stage in order.stages if stage.id == task.stage for one in stage.may_reduce}
    return [field for field in order.item.form if task.kind == "approval" and field.id in named]


def _why(viewer: Actor, task: Task, mine: Assignee | None) -> str | None:
    if mine is None:
        return "operator" if viewer.operator and task.kind == "operator" else None
    return "own" if mine.own else "escalated" if mine.escalated else "delegated"


def _waiting(
    one: Waiting, view: RequestView, can: Mapping[str, tuple[str, ...]], as_a_whole: tuple[str, ...]
) -> dict[str, Any]:
    """Return a wait with what the viewer can do about it: about its task, and what is asked because of that one."""
    tasks = view.projection.tasks
    stage = next((task.stage for task in tasks if task.id == one.task), None)
    asked = [task.id for task in tasks if stage and task.stage == stage and task.kind in ("information", "advice")]
    acts = [act for task in (one.task, *asked) if task for act in can.get(task, ())]
    return dict(one) | {"can": tuple(dict.fromkeys((*acts, *as_a_whole)))}


def _parts(order: Order, children: Iterable[RequestView]) -> list[PartOut]:
    """Return the parts of a request: those its order names in their order, then those that its steps have ordered."""
    ordered = {child.order.line: PartOut.of(child) for child in children}
    named = [ordered.pop(line.id) if line.id in ordered else PartOut.ahead(line) for line in order.lines]
    return [*named, *ordered.values()]


def _you_may(view: RequestView, can: Mapping[str, tuple[str, ...]], as_a_whole: tuple[str, ...]) -> tuple[str, ...]:
    if view.projection.status is Status.CLOSED:
        return ()
    cancel = tuple(act for act in as_a_whole if act == "cancel")
    tasks = [task for task in view.projection.tasks if _choices(task, can[task.id])]
    return (*cancel, "comment", *(f"{'work' if task.kind == 'fulfilment' else 'decide'}:{task.id}" for task in tasks))


def _choices(task: Task, can: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices that somebody has who can do this about a task."""
    if task.kind == "fulfilment":
        return can
    return task.choices if "decide" in can else ()
