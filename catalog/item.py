"""A catalog item: an immutable, versioned definition of something a person may order (feature row C1).

It says what is asked, who approves, which workflow fulfils it and what the person then has. A request keeps the
whole item and its digest, so an edited file never changes a request that runs. How files are read is `loader`'s
business; how approvals are counted is `approval`'s.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog.duration import Duration
from catalog.form import Field, Slug
from catalog.model import Model

Version = Annotated[
    str,
    Constrained(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$", description="three numbers, for example 1.0.0"),
]
"""A version, ``MAJOR.MINOR.PATCH`` (semver.org 2.0.0, without pre-releases)."""

GroupName = Annotated[str, Constrained(min_length=1, max_length=128)]


class ByManager(Model):
    """The line manager of the beneficiary decides."""

    rule: Literal["manager"]


class ByOwner(Model):
    """The owner of the entitlement (of the group that is given) decides."""

    rule: Literal["owner"]


class ByGroup(Model):
    """The members of a directory group decide."""

    rule: Literal["group"]
    group: GroupName


ApproverRule = Annotated[ByManager | ByOwner | ByGroup, Constrained(discriminator="rule")]


class Stage(Model):
    """One approval stage; stages are decided in the order of the list.

    Attributes:
        id: unique within the item.
        name: what people call it.
        approvers: who is asked; the union of the rules.
        quorum: ``any``: one approval is enough, refused when nobody is left who could approve; ``all``: each must
            approve, refused at the first refusal.
        decide_within: how long the stage stays open before the request expires.
    """

    id: Slug
    name: str
    approvers: Annotated[tuple[ApproverRule, ...], Constrained(min_length=1)]
    quorum: Literal["any", "all"] = "any"
    decide_within: Duration = timedelta(days=10)


class Entitlement(Model):
    """What the beneficiary has in the end: a place in a directory group."""

    group: GroupName


class Sla(Model):
    """The promise: fulfilled within `target` of the order."""

    target: Duration


class CatalogItem(Model):
    """A definition people can order from.

    Attributes:
        id: stable across versions.
        version: semver; a change of the content asks for a new one.
        owner: login of the person who answers for the item.
        workflow: the registered workflow type that fulfils it.
    """

    id: Slug
    version: Version
    name: Annotated[str, Constrained(min_length=1, max_length=120)]
    description: str
    category: str
    owner: str
    form: tuple[Field, ...] = ()
    approvals: tuple[Stage, ...] = ()
    workflow: Literal["AccessRequest"]
    entitlement: Entitlement
    sla: Sla

    @model_validator(mode="after")
    def _ids_are_unique(self) -> CatalogItem:
        for what, ids in (("field", [f.id for f in self.form]), ("approval stage", [s.id for s in self.approvals])):
            for name, times in Counter(ids).items():
                if times > 1:
                    raise ValueError(f"{times} {what}s have the id {name!r}; give each its own")
        return self
