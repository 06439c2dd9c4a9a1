"""The composition root of the API process: real parts from settings.

The only module of the API that names a connector.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import catalog
from activities import plugins
from activities.connectors.sealed import SealedSecrets, SealedSettings
from api.gateway import TemporalGateway
from api.parts import Parts, utc_now
from api.settings import Settings
from api.shelf import Shelf
from catalog import loader
from catalog.loader import CatalogError
from records.register import Register

log = logging.getLogger(__name__)

SHIPPED_ITEMS = Path(catalog.__file__).parent / "items"


@contextmanager
def build(settings: Settings) -> Iterator[Parts]:
    """Give the parts that the settings describe, and close what they hold at the end.

    Nothing needs to answer yet: register, engine and directory may come up later.

    Raises:
        CatalogError: there is not one item that can be used; says everything that is wrong.
        UnknownName: the settings choose a connector that there is not.
        NotOpened: they choose one that cannot be opened.
    """
    directories = settings.catalog or (SHIPPED_ITEMS,)
    reading = loader.read(directories)
    if not reading.items:
        raise CatalogError(reading.problems)
    found = plugins.discover()
    for problem in found.problems:
        log.error("%s", problem.message)
    known = found.known()
    open_directory = found.connector("directory", settings.directory).open
    with closing(Register(settings.database_url)) as register, open_directory() as directory:
        yield Parts(
            register=register,
            directory=directory,
            gateway=TemporalGateway(settings.temporal_address, settings.temporal_namespace),
            shelf=Shelf(directories, register, known, utc_now),
            known=known,
            secrets=SealedSecrets(register, SealedSettings().each()),
            secret=settings.secret.get_secret_value(),
            operators_group=settings.operators_group,
            token_lifetime=timedelta(minutes=settings.token_minutes),
        )
