"""What is wrong with settings that are read from the environment, told by the names of the variables.

For our own processes and for what other packages open with settings of their own. No setting is read here.
"""

from __future__ import annotations

import traceback
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings


def faults(error: BaseException) -> tuple[str, ...]:
    """Return what an error says, a line for each thing that is wrong; no value that was given is among it.

    An error of another package may be wrong itself, and raise when it is asked; then its type must do.

    Raises:
        KeyboardInterrupt: somebody wants the process to stop.
    """
    try:
        return _said(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  what `__str__` of another package raises is not known; none may end the process
        return (type(error).__name__,)


def _said(error: BaseException) -> tuple[str, ...]:
    if not isinstance(error, ValidationError):
        return (f"{type(error).__name__}: {error}",)
    kind = _settings_of(error)
    return tuple(
        f"{_variable(kind, found['loc']) if kind else _place(error, found['loc'])}: {found['msg']}"
        for found in error.errors(include_url=False, include_input=False)
    )


def _settings_of(error: ValidationError) -> type[BaseSettings] | None:
    """Return the settings that were being built; the error itself names their class only, and two may share a name."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    local: list[Any] = [value for frame in reversed(frames) for value in frame.f_locals.values()]
    return next(
        (type(one) for one in local if isinstance(one, BaseSettings) and _title(type(one)) == error.title), None
    )


def _title(kind: type[BaseSettings]) -> str:
    return str(kind.model_config.get("title") or kind.__name__)


def _variable(kind: type[BaseSettings], place: tuple[int | str, ...]) -> str:
    """Return the variable that a field is read from; a field's alias is one as it is."""
    if not place:
        return "together"
    field, *inner = place
    prefix = kind.model_config.get("env_prefix", "") if field in kind.model_fields else ""
    between = kind.model_config.get("env_nested_delimiter") or "_"
    return (str(prefix) + between.join(map(str, (field, *inner)))).upper()


def _place(error: ValidationError, place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, (error.title, *place)))
