"""How requests, tasks, drafts and journals look in a terminal. Times are shown in the reader's own time zone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from catalog.delegation import Scope, shown
from catalog.duration import words
from catalog.text import capital, one_line
from catalog.text import moment as in_utc
from catalog.wording import Turn, begins, turns
from cli import doing

COLOURS = {
    "fulfilled": "green",
    "rejected": "red",
    "expired": "yellow",
    "cancelled": "yellow",
    "superseded": "yellow",
    "ineligible": "red",
    "skipped": "yellow",
    "partial": "yellow",
    "unfulfilled": "red",
    "attention": "red",
}
ICONS = {
    "opened": "●",
    "resolved": "·",
    "stage-opened": "?",
    "vote": "✓",
    "stage-closed": "·",
    "effect-intended": "→",
    "effect-observed": "✓",
    "effect-failed": "✗",
    "undo-intended": "←",
    "undo-observed": "✓",
    "task-opened": "?",
    "task-claimed": "→",
    "task-completed": "✓",
    "task-declined": "✗",
    "task-overdue": "!",
    "event-reported": "✓",
    "request-placed": "→",
    "residue": "!",
    "operator-asked": "!",
    "cancel-requested": "✗",
    "comment": "“",
    "closed": "■",
}


def plain(value: Any) -> Text:
    """Return what others wrote as it stands, on one line: nothing in it is markup or steers the terminal."""
    return Text(one_line(str(value)))


def moment(iso: str | None) -> str:
    """Return a moment as people read it, in their time zone."""
    return _local(iso).strftime("%a %d %b %Y %H:%M") if iso else ""


def clock(iso: str) -> str:
    """Return a moment to the second."""
    return _local(iso).strftime("%Y-%m-%d %H:%M:%S")


def _local(iso: str) -> datetime:
    """Return a moment in the reader's time zone; on the last day of the calendar it may only be as it is written."""
    at = datetime.fromisoformat(iso)
    with suppress(OverflowError, ValueError):
        at = at.astimezone()
    return at


_MOMENTS = ("due_at", "until")
"""What entries of a journal call the moments that their sentences name."""


def sentence(entry: dict[str, Any]) -> str:
    """Return what an entry of a journal says, with the moments it names in the reader's time zone instead of UTC."""
    text: str = entry["text"]
    for iso in (entry["data"].get(name) for name in _MOMENTS):
        with suppress(TypeError, ValueError, OverflowError):  # whatever a later release may write there
            text = text.replace(in_utc(iso), moment(iso))
    return text


def distance(iso: str) -> str:
    """Return how far away a moment is: ``in 3 days``, ``2 hours ago``."""
    away = datetime.fromisoformat(iso) - datetime.now(UTC)
    if away < timedelta(0):
        return f"{words(-away)} ago" if -away >= timedelta(seconds=1) else "just now"
    return f"in {words(away)}"


def expected(promise: dict[str, Any], due_at: str | None) -> str:
    """Return by when a request is likely to be done, as the API has it (feature row S8).

    Nothing where there is no more to say than that it is promised by `due_at`.
    """
    if promise["basis"] == "sla":
        return _without_history(promise, due_at)
    cases = promise["cases"]
    orders = f"{cases} earlier order{'s' if cases != 1 else ''}"
    return f"Usually done by {_by(promise['p50'])}; nine of ten by {_by(promise['p90'])} (from {orders})."


def _without_history(promise: dict[str, Any], due_at: str | None) -> str:
    outlasted = promise["outlasted"]
    why = "it has taken longer than earlier orders did" if outlasted else "too few earlier orders to tell"
    owed, minute = datetime.fromisoformat(promise["p90"]), timedelta(minutes=1)
    if due_at and abs(owed - datetime.fromisoformat(due_at)) < minute:
        return f"{capital(why)}." if outlasted else ""
    if owed <= datetime.now(UTC) + minute:  # it never lies in the past
        return f"What was promised is over ({why})."
    return f"By {_by(promise['p90'])} if everybody takes all their time ({why})."


def _by(iso: str) -> str:
    """Return a moment as it is said in a sentence, with its year only if that is another one."""
    at = _local(iso)
    year = "" if at.year == datetime.now(UTC).astimezone().year else f" {at.year}"
    return f"{at:%a %d %b}{year}, {at:%H:%M}"


def state(request: dict[str, Any]) -> Text:
    """Return where a request stands, in its colour."""
    name = request["outcome"] or request["status"]
    return Text(one_line(name), style=COLOURS.get(name, "cyan"))


def request_table(requests: list[dict[str, Any]]) -> RenderableType:
    """Return a list of requests."""
    if not requests:
        return Text("There are no requests.")
    table = Table("Request", "Item", "For", "State", "Waits for", "Ordered", box=None, pad_edge=False)
    for request in requests:
        waiting = request["waiting"][0] if request["waiting"] else None
        table.add_row(
            plain(request["number"]),
            plain(request["item"]["name"]),
            plain(request["beneficiary"]["name"]),
            state(request),
            _names(request, waiting) if waiting else "",
            moment(request["accepted_at"]),
        )
    return table


def task_table(tasks: list[dict[str, Any]], *, closed: bool = False) -> RenderableType:
    """Return an inbox, or what of it is closed."""
    if not tasks:
        return Text("There are no closed tasks." if closed else "Nothing waits for you.")
    columns = ("Outcome", "Closed") if closed else ("Taken by", "You may", "As", "Due")
    table = Table("Task", "Kind", "What", "Ordered by", *columns, box=None, pad_edge=False)
    for task in tasks:
        if closed:
            last = [task["decided"], moment(task["closed_at"])]
        else:
            taken, may = (task["claimed_by"] or {}).get("name", ""), task["you_may"] or task["can"]
            last = [taken, " | ".join(may), _yours(task), _due(task["due_at"])]
        kind = "work" if task["kind"] == "fulfilment" else task["kind"]
        cells = (task["id"], kind, task["title"], task["request"]["requester"]["name"], *last)
        table.add_row(*(plain(cell) for cell in cells))
    return table


def _yours(task: dict[str, Any]) -> str:
    """Return why a task is the reader's, where that is not simply because they are asked (feature row W2)."""
    said = {"escalated": "escalated to you", "operator": "operator"}.get(task["yours"], "")
    instead = _instead(task["on_behalf_of"], own=task["yours"] != "delegated")
    return ", ".join(filter(None, (said, instead)))


def _due(iso: str | None) -> str:
    if iso is None:
        return ""
    return f"overdue, {distance(iso)}" if datetime.fromisoformat(iso) < datetime.now(UTC) else distance(iso)


def task_panel(task: dict[str, Any], access: dict[str, Any] | str | None = None) -> RenderableType:
    """Return a task: how it is done, what it asks for, who has it, and what helps to decide it.

    `access` is what the order would change of somebody's access, or why that is not known.
    """
    parts: list[RenderableType] = [_task_facts(task)]
    said = task["instructions"] or task["problem"]
    if said:
        parts += [Text(), Text("\n").join(plain(line) for line in said.splitlines())]
    if task["evidence"]:
        parts += [Text("\nIt asks for", style="bold"), field_table(task["evidence"])]
    if task["context"]:
        parts += [Text("\nWhat is known", style="bold"), _context(task["context"])]
    if access and (grid := access_table(access)):
        parts += [Text("\nAccess, now and afterwards", style="bold"), grid]
    if task["may_reduce"]:
        parts += [Text("\nBy approving you may make smaller, with -a", style="bold"), field_table(task["may_reduce"])]
    parts += _doings("You can", doing.about_task(task))
    return Panel(Group(*parts), title=plain(f"{task['id']} {task['title']}"), title_align="left")


def _task_facts(task: dict[str, Any]) -> RenderableType:
    """Return what a task is about, who is asked, who has it, and by when."""
    facts = Table.grid(padding=(0, 2))
    request = task["request"]
    facts.add_row("For", plain(f"{request['number']} {request['item']['name']}, {request['beneficiary']['name']}"))
    facts.add_row("Asked", plain(", ".join(_asked(one) for one in task["assignees"]) or "the operators"))
    if task["needs"]:
        facts.add_row("Needed", plain(task["needs"]))
    if why := _yours(task):
        facts.add_row("You", plain(why))
    if task["claimed_by"]:
        facts.add_row("Taken by", plain(task["claimed_by"]["name"]))
    if task["due_at"]:
        facts.add_row("Due", plain(f"{moment(task['due_at'])} ({distance(task['due_at'])})"))
    if task["decided"]:
        by = ", ".join(person["name"] for person in task["decided_by"])
        facts.add_row("Ended", plain(f"{task['decided']}{f' by {by}' if by else ''}  {task['reason']}"))
    return facts


def _asked(one: dict[str, Any]) -> str:
    """Return somebody who is asked, and what they said."""
    name = one["person"]["name"]
    if one["verdict"] and one["by"]:
        return f"{name} ({one['verdict']}, by {one['by']['name']})"
    said = ", ".join(filter(None, (one["verdict"], _instead(one["on_behalf_of"], own=_in_own_right(one)))))
    return f"{name} ({said})" if said else name


def _in_own_right(one: dict[str, Any]) -> bool:
    """Return whether somebody is asked not only in the place of others."""
    return bool(one["own"] or one["escalated"])


def _instead(people: list[dict[str, Any]], *, own: bool) -> str:
    """Return in whose place somebody decides, if they do; `own` says that they are asked in their own right too."""
    return f"{'also ' if own else ''}for {_people(people)}" if people else ""


def _people(people: list[dict[str, Any]]) -> str:
    return ", ".join(person["name"] for person in people)


def _context(context: dict[str, Any]) -> RenderableType:
    """Return what helps to decide (feature row A19)."""
    grid = Table.grid(padding=(0, 2))
    if context["cost"]:
        grid.add_row("costs", plain(_cost(context["cost"])))
    if context["risk"] != "medium":  # as everything is of which nobody says more
        grid.add_row("risk", plain(context["risk"]))
    if context["changes"]:
        times = "once" if context["changes"] == 1 else f"{context['changes']} times"
        grid.add_row("changed", f"{times} since it was ordered")
    if context["colleagues"] is not None:
        grid.add_row("colleagues", f"{context['colleagues']} of the same department have it")
    for one in context["earlier"]:
        now = one["outcome"] or one["status"]
        grid.add_row("before", plain(f"{one['number']}, {moment(one['accepted_at'])}: {now}"))
    for entry in context["history"]:
        grid.add_row(Text(clock(entry["at"]), style="dim"), plain(sentence(entry)))
    return grid if grid.row_count else Text("Nothing of the kind was ordered or said before.", style="dim")


def access_table(access: dict[str, Any] | str) -> RenderableType | None:
    """Return what access there is and what an order would change of it (feature row A19); None if it changes none."""
    if isinstance(access, str):
        return plain(f"It cannot be had at the moment. {access}")
    if not access["changes"] and not access["later"]:
        return None
    who, has = access["beneficiary"], access["has"]
    grid = Table.grid(padding=(0, 2))
    now = "is in the directory no more" if has is None else f"is in {', '.join(has) or 'no group'}"
    grid.add_row("now", plain(f"{who['name']} {now}"))
    for change in access["changes"]:
        grid.add_row("joins" if change["gains"] else "leaves", plain(_place(change, who["login"])))
    for step in access["later"]:
        grid.add_row("later", plain(f"{step}: which group, or whose, cannot be told yet"))
    return grid


def _place(change: dict[str, Any], beneficiary: str) -> str:
    """Return a place in a group that somebody gets or loses: which, whose if another's, and what is special."""
    whose = "" if change["login"] == beneficiary else f" ({change['login']})"
    told = {
        "for a while": change["for_a_while"],
        "perhaps: the work itself will tell": change["perhaps"],
        "is in it already": change["already"] and change["gains"],
        "is not in it": change["already"] and not change["gains"],
    }
    return ", ".join([change["group"] + whose, *(words for words, holds in told.items() if holds)])


def _doings(title: str, doings: Iterable[tuple[str, str]]) -> list[RenderableType]:
    """Return what the reader can do, each with its command; nothing if there is nothing."""
    grid = Table.grid(padding=(0, 2))
    for words_, command in doings:
        grid.add_row(plain(words_), Text(one_line(command), style="bold"))
    return [Text(f"\n{title}", style="dim"), grid] if grid.row_count else []


def field_table(fields: list[dict[str, Any]]) -> RenderableType:
    """Return what a form asks: the name of each answer, its kind and the question."""
    table = Table("Answer", "Type", "Question", box=None, pad_edge=False)
    for field in fields:
        kind = " | ".join(field.get("choices") or ()) or field["type"].replace("_", "/")
        need = {True: "", False: " (optional)"}.get(field["required"], " (sometimes)")
        lines = [field["label"] + need, *([field["help"]] if field["help"] else [])]
        table.add_row(plain(field["id"]), plain(kind), Text("\n").join(plain(line) for line in lines))
    return table


def draft_table(drafts: list[dict[str, Any]]) -> RenderableType:
    """Return a list of drafts."""
    if not drafts:
        return Text("You have no drafts.")
    table = Table("Draft", "Item", "For", "Answers", "Changed", box=None, pad_edge=False)
    for draft in drafts:
        people = draft["beneficiaries"] or [draft["beneficiary"] or "you"]
        cells = (draft["id"], draft["item"], ", ".join(people), len(draft["answers"]), moment(draft["updated_at"]))
        table.add_row(*(plain(cell) for cell in cells))
    return table


def delegation_table(delegations: list[dict[str, Any]], *, past: bool = False) -> RenderableType:
    """Return a list of delegations."""
    if not delegations:
        return Text("No delegation is over." if past else "There are no delegations, by you or to you.")
    table = Table("Delegation", "Of", "To", "From", "Until", "For", "State", box=None, pad_edge=False)
    for one in delegations:
        period = (moment(one["begins"]), moment(one["ends"]))
        people = (one["person"]["name"], one["delegate"]["name"])
        cells = (one["id"], *people, *period, _scope(one), one["state"].replace("-", " "))
        table.add_row(*(plain(cell) for cell in cells))
    return table


def delegation_set(one: dict[str, Any]) -> RenderableType:
    """Return what a delegation means that was just set, and what one should know about it."""
    period = f"from {moment(one['begins'])} until {moment(one['ends'])}"
    said = f"{one['delegate']['name']} may decide in the place of {one['person']['name']} {period}, for {_scope(one)}."
    lines = [plain(said), plain(f"To withdraw it: commissary delegate withdraw {one['id']}")]
    return Text("\n").join([*lines, *(plain(f"Note: {warning}") for warning in one["warnings"])])


def _scope(one: dict[str, Any]) -> str:
    return shown(Scope.model_validate(one["scope"]))


def ordered(request: dict[str, Any]) -> RenderableType:
    """Return what an order has become, and who was left out of it."""
    number = request["number"]
    said = [plain(f"Ordered: {number}. See: commissary request show {number}")]
    said += [plain(f"Left out: {one['login']}: {one['why']}") for one in request.get("left_out", ())]
    return Text("\n").join(said)


def preview_panel(preview: dict[str, Any]) -> RenderableType:
    """Return what would become of an order."""
    lines = [plain("It can be ordered." if preview["may_be_ordered"] else "It cannot be ordered:")]
    lines += [plain(f"  • {error['field']}: {error['message']}") for error in preview["errors"]]
    lines += [plain(f"  • {one['login']} is left out: {one['why']}") for one in preview["left_out"]]
    return Group(*lines, *(_planned(order) for order in preview["orders"]))


def stages(found: list[dict[str, Any]]) -> RenderableType:
    """Return the approval stages of an item: who decides, and when each begins."""
    if not found:
        return plain("Decided by: nobody, an order is fulfilled at once")
    names = {stage["id"]: stage["name"] for stage in found}
    grid = Table.grid(padding=(0, 2))
    for stage in found:
        when = begins([names[name] for name in stage["after"]])
        grid.add_row(plain(stage["name"]), plain(stage["approvers"]), plain(when))
    return Group(plain("Decided by"), Padding(grid, (0, 0, 0, 2)))


def _planned(order: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    planned = order["stages"]
    begun = turns(Turn(one["id"], one["name"], one["after"], one["needed"] and not one["auto"]) for one in planned)
    for stage, when in zip(planned, begun, strict=True):
        grid.add_row(plain(stage["name"]), plain(_stage(stage, when)))
    for name in order["later"]:
        grid.add_row(plain(name), "in the middle of the work")
    if not order["stages"] and not order["later"]:
        grid.add_row("approval", "nobody is asked")
    if order["cost"]:
        grid.add_row("costs", plain(_cost(order["cost"])))
    grid.add_row("promised", plain(moment(order["due_at"])))
    if likely := expected(order["promise"], order["due_at"]):
        grid.add_row("expected", likely)
    return Panel(grid, title=plain(f"{order['item']['name']} for {order['beneficiary']['name']}"), title_align="left")


def _stage(stage: dict[str, Any], begun: str) -> str:
    if not stage["needed"]:
        return f"is not asked: {stage['because']}"
    if stage["auto"]:
        return f"is approved by itself: {stage['because']} [{stage['auto']}]"
    names = ", ".join(person["name"] for person in stage["people"]) or "an operator: nobody was found"
    until = f", by {moment(stage['due_at'])} at the latest" if stage["due_at"] else ""
    return names + (f", {begun}" if begun else "") + until


def _cost(cost: dict[str, Any]) -> str:
    return f"{cost['one_off']} {cost['currency']} once, {cost['recurring']} {cost['currency']} a {cost['every']}"


def request_panel(request: dict[str, Any], entries: list[dict[str, Any]], clocks: Iterable[str] = ()) -> RenderableType:
    """Return a request with what it waits for, its timeline, and a line for each clock that runs."""
    facts = Table.grid(padding=(0, 2))
    facts.add_row("State", state(request))
    facts.add_row("For", plain(f"{request['beneficiary']['name']}, ordered by {request['requester']['name']}"))
    facts.add_row("Ordered", plain(f"{moment(request['accepted_at'])}, item version {request['item']['version']}"))
    if request["priority"] is not None:
        facts.add_row("Priority", str(request["priority"]))
    if request["status"] != "closed" and request["due_at"]:
        facts.add_row("Promised", f"{moment(request['due_at'])} ({distance(request['due_at'])})")
    if request["promise"] and (likely := expected(request["promise"], request["due_at"])):
        facts.add_row("Expected", likely)
    for line in clocks:
        facts.add_row("Clock", plain(line))
    for label, answer in request["shown_answers"]:
        facts.add_row(plain(label), Text("\n").join(plain(line) for line in answer.splitlines()))
    if request["reason"]:
        facts.add_row("Ending", plain(request["reason"]))
    for label, key in (("Part of", "parent"), ("Replaces", "replaces"), ("Replaced by", "replaced_by")):
        if request[key]:
            facts.add_row(label, plain(request[key]))
    waits = [_waiting(request, waiting) for waiting in request["waiting"]]
    whole = [Text("\nParts", style="bold"), _parts(request["parts"])] if request["parts"] else []
    parts: list[RenderableType] = [facts, *waits, *whole, Text("\nTimeline", style="bold"), timeline(entries)]
    parts += _doings("You can also" if waits else "You can", doing.about_request(request))
    return Panel(Group(*parts), title=plain(f"{request['number']} {request['item']['name']}"), title_align="left")


def _parts(parts: list[dict[str, Any]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for part in parts:
        now = part["outcome"] or part["status"] or "not ordered yet"
        cells = (part["number"] or part["line"], part["item"]["name"], part["beneficiary"]["name"])
        table.add_row(*(plain(cell) for cell in cells), Text(one_line(now), style=COLOURS.get(now, "cyan")))
    return table


def timeline(entries: list[dict[str, Any]]) -> RenderableType:
    """Return a journal as a timeline."""
    table = Table.grid(padding=(0, 1))
    for entry in entries:
        text = plain(sentence(entry))
        if entry["rule"]:
            text.append(f"  [{one_line(entry['rule'])}]", style="dim")
        table.add_row(Text(clock(entry["at"]), style="dim"), ICONS.get(entry["kind"], "·"), text)
    return table if entries else Text("Nothing has happened yet.", style="dim")


def _waiting(request: dict[str, Any], waiting: dict[str, Any]) -> RenderableType:
    """Return in words one thing a request waits for, and what the reader can do about it (feature row W1)."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row("who", _names(request, waiting))
    if needs := _needs(request, waiting):
        grid.add_row("needed", plain(needs))
    if waiting["why"]:
        grid.add_row("why", plain(waiting["why"]))
    grid.add_row("since", f"{moment(waiting['since'])} ({distance(waiting['since'])})")
    if waiting["until"]:
        counted = f", in the working time of {waiting['calendar']}" if waiting["calendar"] else ""
        grid.add_row("until", plain(f"{moment(waiting['until'])} ({_due(waiting['until'])}){counted}"))
    if waiting["at_deadline"]:
        grid.add_row(_AT_THE_END.get(waiting["kind"], "if nothing happens"), plain(waiting["at_deadline"]))
    if waiting["then"]:
        grid.add_row("after that", plain(waiting["then"]))
    parts = [plain(waiting["what"]), grid, *_doings("You can", doing.about_wait(request, waiting))]
    return Panel(Group(*parts), title="Waits for", title_align="left", border_style="yellow")


_AT_THE_END = {"time": "then", "requests": "by when"}
"""What comes of a wait at its end is called otherwise where that is no matter of nothing having happened."""


def _names(request: dict[str, Any], waiting: dict[str, Any]) -> Text:
    """Return who can end a wait, and in whose place."""
    asked = (one for task in request["tasks"] if task["id"] == waiting["task"] for one in task["assignees"])
    own = {one["person"]["id"] for one in asked if _in_own_right(one)}
    people = [(one["name"], _instead(one["on_behalf_of"], own=one["id"] in own)) for one in waiting["who"]]
    names = ", ".join(f"{name} ({instead})" if instead else name for name, instead in people)
    return plain(names or waiting["whom"])


def _needs(request: dict[str, Any], waiting: dict[str, Any]) -> str:
    """Return what must be approved by an expression, such as who weighs how much, unless the wait says it already."""
    mine = (one for one in request["tasks"] if one["id"] == waiting["task"] and waiting["kind"] == "people")
    needs: str = next((one["needs"] for one in mine if one["quorum"] is None), "")
    said = waiting["what"].replace(" (has approved)", "").casefold()
    return "" if needs.rstrip(".").casefold() in said else needs
