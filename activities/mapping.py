"""The one mapping from connector errors to Temporal failures; their one detail is `ConnectorError.ours`.

What may pass is retried by Temporal with the options of `workflows.options`; what will not pass until somebody
acts is not retried, so that the workflow can ask an operator.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from temporalio.exceptions import ApplicationError

from activities.errors import ConnectorError, Throttled, Transient

P = ParamSpec("P")
R = TypeVar("R")

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
