"""The one mapping from connector errors to Temporal failures; their one detail is `ConnectorError.ours`.

What may pass is retried by Temporal with the options of `workflows.options`; what will not pass until somebody
acts is not retried, so that the workflow can ask an operator.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.exceptions import ApplicationError

from activities.errors import ConnectorError, Rejected, Throttled, Transient

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

# A failure travels inside the history; a target's error page must not fill it.
MAX_MESSAGE = 2_000


def connector_errors(call: Callable[P, R]) -> Callable[P, R]:
    """Let an activity raise connector errors as failures of that fault's name."""

    @functools.wraps(call)
    def mapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except ConnectorError as error:
            raise ApplicationError(
                str(error)[:MAX_MESSAGE],
                error.ours,
                type=error.fault,
                non_retryable=not isinstance(error, Transient),
                next_retry_delay=error.retry_after if isinstance(error, Throttled) else None,
            ) from error

    return mapped


def understood(model: type[M], given: dict[str, Any], name: str) -> M:
    """Return an activity's input as its model; `name` is the activity's.

    Taken apart here and not by the data converter, whose errors would be tried again for ever.

    Raises:
        Rejected: it is no such input; the message says where, and holds no value.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise Rejected(f"{name} cannot take this: {wrong}; it takes: {', '.join(model.model_fields)}") from None
