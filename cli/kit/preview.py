"""`commissary catalog preview`: what would become of an order, computed offline."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from activities.approvers import Approvers, ApproversQuery
from activities.connectors.memory import MemoryDirectory
from activities.errors import NotFound
from catalog import form, names
from catalog.approval import Rung
from catalog.explain import suggest
from catalog.expression import ExpressionError
from catalog.fields import AttachmentField, Field
from catalog.item import CatalogItem
from catalog.model import digest
from catalog.people import Person
from catalog.preview import Asked, Ladder, Preview, cost, preview
from catalog.request import Cost, Order
from catalog.source import parse
from catalog.stages import Stage
from catalog.text import moment, one_line
from catalog.wording import listed
from cli.client import AsJson, Trouble
from cli.kit import people as sketches
from cli.kit.shelf import Catalogs, ItemName, NoSuchThing, find

_EVERYBODY = 100_000
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
    people: Annotated[Path | None, typer.Option(help="YAML file of people; the demo's company if not given.")] = None,
    as_json: AsJson = False,
    catalogs: Catalogs = None,
) -> None:
    """Compute who would decide, the price and the due time of an order, without placing it."""
    chosen = find(item, catalogs)
    directory = sketches.directory(sketches.company(people))
    order, assumed = _order(chosen, _answers(chosen, given or [], answers), by, beneficiary or by, directory)
    shown = preview(order, _ladder(order, directory))
    if as_json:
        print(json.dumps(shown.model_dump(mode="json"), indent=1))
    else:
        _tell(order, shown, assumed)


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


def _person(login: str, directory: MemoryDirectory) -> Person:
    try:
        return directory.person_by_login(login)
    except NotFound:
        there = [person.login for person in directory.people("", _EVERYBODY)]
        raise NoSuchThing(f"There is nobody with the login {login!r}. {suggest(login, there)}") from None


def _order(
    item: CatalogItem, answers: dict[str, Any], by: str, beneficiary: str, directory: MemoryDirectory
) -> tuple[Order, list[str]]:
    """Return the order that it would be, and what could not be asked offline."""
    requester, receiver = _person(by, directory), _person(beneficiary, directory)
    bare = Order(
        number="",
        item=item,
        item_digest=digest(item),
        answers={},
        requester=requester.ref(),
        beneficiary=receiver.ref(),
        accepted_at=datetime.now(UTC),
        requester_profile=requester.profile(directory.groups_of(requester.id)),
        beneficiary_profile=receiver.profile(directory.groups_of(receiver.id)),
    )
    checked, assumed = _checked(item, answers, names.of_order(bare, bare.accepted_at), directory)
    order = bare.model_copy(update={"answers": checked})
    try:
        price = cost(item, names.of_order(order, order.accepted_at))
    except ExpressionError as error:
        raise Trouble(f"The price cannot be computed: {error}. Correct 'price' in the item.") from error
    return order.model_copy(update={"cost": price}), assumed


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


def _ladder(order: Order, directory: MemoryDirectory) -> Ladder:
    """Return what finds a stage's people, as for a real request."""
    approvers = Approvers(directory)

    def rungs(stage: Stage) -> tuple[Rung, ...]:
        query = ApproversQuery(
            stage=stage,
            requester_id=order.requester.id,
            beneficiary_id=order.beneficiary.id,
            group=order.item.entitlement.group if order.item.entitlement else "",
            item_owner=order.item.owner,
        )
        try:
            return approvers.rungs(query)
        except NotFound as error:
            raise LookupError(f"{error}. Correct the rule, or the people that --people names.") from error

    return rungs


def _tell(order: Order, shown: Preview, assumed: list[str]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    who = (
        order.beneficiary.name
        if order.beneficiary == order.requester
        else (f"{order.beneficiary.name}, ordered by {order.requester.name}")
    )
    console.print(Text.assemble((one_line(order.item.name), "bold"), f" {order.item.version} for {one_line(who)}"))
    for denial in shown.denials:
        fault = f" ({denial.fault})" if denial.fault else ""
        console.print(Text(f"✗ {one_line(denial.why)}{fault}  [{denial.rule}]", style="red"))
    if not shown.denials:
        console.print(Text("✓ It may be ordered.", style="green"))
    console.print(f"Price     {_price(shown.cost)}")
    console.print(f"Promised  by {moment(shown.due_at.isoformat())}")
    console.print(Text("Decided by", style="bold"))
    for number, stage in enumerate(shown.stages, 1):
        console.print(_stage(number, stage))
    if not shown.stages:
        console.print("  nobody: it is fulfilled at once")
    if shown.decided_by and shown.decided_by > shown.due_at:
        late = moment(shown.decided_by.isoformat())
        console.print(
            Text(f"! If everybody takes their time it is decided only by {late}, later than promised.", style="yellow")
        )
    if assumed:
        console.print(Text(f"Taken as given, for nothing was asked: {listed(assumed)}.", style="dim"))


def _price(price: Cost | None) -> str:
    if price is None:
        return "free"
    parts = [f"{price.one_off} {price.currency} once"] if price.one_off else []
    parts += [f"{price.recurring} {price.currency} a {price.every}"] if price.recurring else []
    charged = f", charged to {price.cost_centre}" if price.cost_centre else ""
    return one_line(f"{listed(parts) or 'free'}{charged}")


def _stage(number: int, asked: Asked) -> Text:
    plan = asked.plan
    line = Text(f"  {number}. ").append(one_line(plan.stage.name), style="bold")
    if not plan.needed:
        return line.append(f": left out. {plan.because}", style="dim")
    if plan.auto:
        return line.append(f": approved by itself. {one_line(plan.because)}", style="green").append(f"  [{plan.auto}]")
    people = listed(one_line(person.name) for person in asked.slate.people)
    rule = f"  [{asked.slate.rule}]" if asked.slate.rule else ""
    line.append(f": {people or 'an operator has to find somebody'}")
    if len(asked.slate.people) > 1:
        line.append(
            {"any": ", one of them decides", "all": ", all must approve"}.get(
                str(plan.stage.quorum), f", {plan.stage.quorum} must approve"
            )
        )
    if asked.due_at:
        line.append(f", by {moment(asked.due_at.isoformat())}")
    line.append(rule, style="dim")
    for skipped in asked.slate.skipped:
        line.append(f"\n     not {one_line(skipped.person.name)}  [{skipped.rule}]", style="dim")
    for fault in filter(None, (plan.fault, asked.fault)):
        line.append(f"\n     {one_line(fault)}", style="red")
    return line
