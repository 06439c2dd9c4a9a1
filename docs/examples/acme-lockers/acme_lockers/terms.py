"""What an item tells the workflow of this package, under `parameters`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from catalog.model import Model


class Terms(Model):
    """The terms of an item.

    Attributes:
        area: where the locker is; an item may take it from an answer.
        reception: the directory group whose members hand the keys over.
        patience: how many days a locker is waited for.
    """

    model_config = ConfigDict(extra="forbid")

    area: str
    reception: str
    patience: Annotated[int, Field(ge=0, le=365)] = 30
