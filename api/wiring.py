"""The composition root of the API process: real parts from settings.

The only module of the API that names a connector.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import catalog
from activities.connectors.ldap import LdapDirectory, LdapSettings
from api.gateway import TemporalGateway
from api.parts import Parts
from api.settings import Settings
from catalog import loader
from records.register import Register

SHIPPED_ITEMS = Path(catalog.__file__).parent / "items"


@contextmanager
def build(settings: Settings) -> Iterator[Parts]:
    """Give the parts that the settings describe, and close what they hold at the end.

    Nothing needs to answer yet: register, engine and directory may come up later.

    Raises:
        CatalogError: the catalog cannot be used; says everything that is wrong with it.
    """
    shelf = loader.load([settings.catalog or SHIPPED_ITEMS])
    with closing(Register(settings.database_url)) as register, closing(LdapDirectory(LdapSettings())) as directory:
        yield Parts(
            register=register,
            directory=directory,
            gateway=TemporalGateway(settings.temporal_address, settings.temporal_namespace),
            catalog=shelf,
            secret=settings.secret.get_secret_value(),
            operators_group=settings.operators_group,
            token_lifetime=timedelta(minutes=settings.token_minutes),
        )
