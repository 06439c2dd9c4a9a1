"""`commissary catalog preview`: what would become of an order, computed offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from catalog.fields import Field
from catalog.item import CatalogItem
from catalog.preview import Asked, Part, Reason, Whole
from catalog.request import Cost, Order
from catalog.sketch import Company
from catalog.source import parse
from catalog.text import listed, moment, one_line
from catalog.wording import Turn, turns
from cli.client import AsJson, Trouble
from cli.kit import people as sketches
from cli.kit.offline import Desk
from cli.kit.shelf import SHIPPED, Catalogs, ItemName, NoSuchThing, beside, calendars, find, folders

_LISTS = ("multi_choice", "people", "attachment")


def preview_order(
    item: ItemName,
    given: Annotated[
        list[str] | None, typer.Option("--answer", "-a", help="FIELD=VALUE; repeat it for each answer.")
    ] = None,
    *,
    answers: Annotated[Path | None, typer.Option(help="YAML or JSON file of answers.")] = None,
    by: Annotated[str, typer.Option("--by", help="Login of who orders.")],
    beneficiary: Annotated[
        str | None, typer.Option("--for", help="Login of who is to have it; who orders if not given.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(help="YAML file of people; scenarios/company.yaml beside the items, or the demo's, if not given."),
    ] = None,
    as_json: AsJson = False,
    catalogs: Catalogs = None,
) -> None:
    """Compute who would decide, the price and the due time of an order, without placing it."""
    chosen = find(item, catalogs)
    company, source = _company(people, folders(item, catalogs))
    desk = Desk(sketches.directory(company), beside(item, catalogs), calendars(folders(item, catalogs)))
    try:
        order, whole = desk.judge(chosen, _answers(chosen, given or [], answers), by, beneficiary or by)
    except NoSuchThing as missing:
        raise NoSuchThing(f"{missing} Asked were the people of {source}.") from missing
    if as_json:
        print(json.dumps(whole.model_dump(mode="json"), indent=1))
    else:
        _tell(order, whole, desk.assumed, source)


def _company(people: Path | None, items: Sequence[Path]) -> tuple[Company, str]:
    """Return whose people are asked, and where they stand: those that are named, or beside the items, or the demo's."""
    if people is not None:
        return sketches.company(people), str(people)
    found, source = sketches.beside(items)
    # The company beside the shipped items is the demo's, but only as far as their scenarios need it.
    if found is None or [folder.resolve() for folder in items] == [SHIPPED.resolve()]:
        return sketches.company(None), "the demo's company"
    return found, source


def _answers(item: CatalogItem, given: list[str], file: Path | None) -> dict[str, Any]:
    """Return the answers of a file, and over them those of the command line."""
    answers = _of_file(file) if file else {}
    fields = {field.id: field for field in item.form}
    for pair in given:
        name, separator, value = pair.partition("=")
        if not separator:
            raise Trouble(f"--answer {pair}: write it as FIELD=VALUE.")
        answers[name] = _typed(fields.get(name), value)
    return answers


def _of_file(file: Path) -> dict[str, Any]:
    try:
        source = parse(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NoSuchThing(f"{file} cannot be read: {error}. Name a YAML or JSON file of answers.") from error
    if source.faults or not isinstance(source.data, dict):
        said = tuple(f"{fault.message}. {fault.remedy}" for fault in source.faults)
        raise Trouble(f"{file} holds no answers; write 'field: value' lines.", said)
    return source.data


def _typed(field: Field | None, value: str) -> Any:
    """Return an answer of the command line as the API would get it."""
    if field is None:
        return value
    if field.type == "yes_no":
        return {"yes": True, "true": True, "no": False, "false": False}.get(value.lower(), value)
    if field.type == "integer":
        return int(value) if value.removeprefix("-").isdigit() else value
    if field.type in _LISTS:
        return [part.strip() for part in value.split(",")]
    return parse(value).data if field.type == "rows" else value


def _tell(order: Order, whole: Whole, assumed: list[str], source: str) -> None:
    console = Console(soft_wrap=True, highlight=False)
    who = (
        order.beneficiary.name
        if order.beneficiary == order.requester
        else (f"{order.beneficiary.name}, ordered by {order.requester.name}")
    )
    console.print(Text.assemble((one_line(order.item.name), "bold"), f" {order.item.version} for {one_line(who)}"))
    for line in _whole(whole):
        console.print(line)
    console.print(Text(f"People: {one_line(source)}.", style="dim"))
    if assumed:
        console.print(Text(f"Taken as given, for nothing was asked: {listed(assumed)}.", style="dim"))


def _whole(whole: Whole) -> Iterator[Text]:
    """Yield what would become of an order, a line each."""
    yield from _verdict(whole)
    yield Text(f"Price     {_total(whole)}")
    yield Text(f"Promised  by {moment(whole.due_at.isoformat())}")
    yield Text("Decided by", style="bold")
    plans = [stage.plan for stage in whole.stages]
    begun = turns(Turn(plan.stage.id, one_line(plan.stage.name), plan.after, plan.asks) for plan in plans)
    for number, stage in enumerate(whole.stages, 1):
        yield _stage(number, stage, begun[number - 1])
    for name in whole.later:
        yield Text(f"  later, in the middle of the work: {one_line(name)}")
    if not whole.stages and not whole.later:
        parts = "nobody as a whole: each part is decided by itself"
        yield Text(f"  {parts if whole.parts else 'nobody: it is fulfilled at once'}")
    if whole.decided_by and whole.decided_by > whole.due_at:
        late = moment(whole.decided_by.isoformat())
        yield Text(
            f"! If everybody takes their time it is decided only by {late}, later than promised.", style="yellow"
        )
    if whole.parts:
        yield Text("Parts", style="bold")
    for part in whole.parts:
        yield from _indented(_part(part))


def _verdict(whole: Whole) -> Iterator[Text]:
    """Yield whether it may be ordered, and of each rule that forbids it the sentence and what is behind it."""
    behind = {reason.rule: reason for reason in whole.reasons}
    for denial in whole.denials:
        fault = f" ({denial.fault})" if denial.fault else ""
        yield Text(f"✗ {one_line(denial.why)}{fault}  [{denial.rule}]", style="red")
        if denial.rule in behind:
            yield from _behind(behind[denial.rule])
    if whole.denials:
        return
    denied = [part for part in whole.parts if part.fault or (part.whole and part.whole.denials)]
    if denied:
        yield Text(f"✗ Not with these parts: {listed(part.id for part in denied)}; see below.", style="red")
    else:
        yield Text("✓ It may be ordered.", style="green")


def _behind(reason: Reason) -> Iterator[Text]:
    yield Text(
        f"    only if {str(reason.when).lower() if isinstance(reason.when, bool) else one_line(reason.when)}",
        style="dim",
    )
    for name, value in reason.read.items():
        shown = json.dumps(value, ensure_ascii=False) if value is not None else "not given"
        yield Text(f"    {name}: {one_line(shown)}", style="dim")


def _part(part: Part) -> Iterator[Text]:
    title = Text.assemble((one_line(part.name), "bold"), (f"  {part.id}", "dim"))
    if not part.needed:
        yield title.append(": left out. This order does not need it.", style="dim")
        return
    yield title
    if part.fault:
        yield Text(f"  {one_line(part.fault)}", style="red")
    if part.later:
        given = f"  Judged without {listed(part.later)}, which parts before it give."
        yield Text(given, style="yellow")
    if part.whole:
        yield from _indented(_whole(part.whole))


def _indented(lines: Iterator[Text]) -> Iterator[Text]:
    return (Text("  ").append_text(row) for line in lines for row in line.split("\n"))


def _total(whole: Whole) -> str:
    """Return the price; of a bundle, the sum of all that it brings."""
    if not whole.parts:
        return _price(whole.cost)
    unknown = any(part.fault for part in whole.parts)
    said = listed(_price(cost) for cost in whole.total) if whole.total else "free"
    return f"{said} for all parts{', without those that cannot be judged' if unknown else ''}"


def _price(price: Cost | None) -> str:
    if price is None:
        return "free"
    parts = [f"{price.one_off} {price.currency} once"] if price.one_off else []
    parts += [f"{price.recurring} {price.currency} a {price.every}"] if price.recurring else []
    charged = f", charged to {price.cost_centre}" if price.cost_centre else ""
    return one_line(f"{listed(parts) or 'free'}{charged}")


def _stage(number: int, asked: Asked, begun: str) -> Text:
    plan = asked.plan
    line = Text(f"  {number}. ").append(one_line(plan.stage.name), style="bold")
    if not plan.needed:
        return line.append(f": left out. {plan.because}", style="dim")
    if plan.auto:
        return line.append(f": approved by itself. {one_line(plan.because)}", style="green").append(f"  [{plan.auto}]")
    people = listed(one_line(person.name) for person in asked.slate.people)
    rule = f"  [{asked.slate.rule}]" if asked.slate.rule else ""
    line.append(f": {people or 'an operator has to find somebody'}")
    if begun:
        line.append(f", {begun}")
    if asked.due_at:
        line.append(f", by {moment(asked.due_at.isoformat())}")
    line.append(rule, style="dim")
    if len(asked.slate.people) > 1 and plan.stage.decide is None and plan.stage.quorum == "any":
        line.append("\n     One of them decides.", style="dim")
    for term in asked.terms:
        line.append(f"\n     {one_line(term)}", style="dim")
    for skipped in asked.slate.skipped:
        line.append(f"\n     not {one_line(skipped.person.name)}  [{skipped.rule}]", style="dim")
    for fault in filter(None, (plan.fault, asked.fault)):
        line.append(f"\n     {one_line(fault)}", style="red")
    return line
