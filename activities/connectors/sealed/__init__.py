"""Secrets in the register, encrypted with keys of the installation; see README.md beside this file."""

from __future__ import annotations

from activities.connectors.sealed.secrets import NoKeys, SealedSecrets
from activities.connectors.sealed.settings import SETTING, SealedSettings

__all__ = ["SETTING", "NoKeys", "SealedSecrets", "SealedSettings"]
