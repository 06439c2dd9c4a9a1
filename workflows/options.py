"""Named activity options: time-outs, retries and queue, decided once.

A workflow names one of these; it holds no literal time-out of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from workflows.messages import DIRECTORY_QUEUE


class Remote(TypedDict):
    """Options of an activity that touches another system."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


class Own(TypedDict):
    """Options of an activity on the workflow's own queue."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class Local(TypedDict):
    """Options of a local activity."""

    start_to_close_timeout: timedelta
    local_retry_threshold: timedelta
    retry_policy: RetryPolicy


DIRECTORY = Remote(
    task_queue=DIRECTORY_QUEUE,
    # Longer than all of the connector's own time-outs together: a slow attempt comes to its own end. One that was
    # given up earlier, for want of heartbeats, begins no write any more (activities/lease.py).
    start_to_close_timeout=timedelta(minutes=3),
    # How soon an attempt on a worker that died is taken up by another.
    heartbeat_timeout=timedelta(seconds=10),
    # An outage is ridden out for a day; then an operator is asked, who can go on for another.
    schedule_to_close_timeout=timedelta(days=1),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500), backoff_coefficient=2, maximum_interval=timedelta(seconds=30)
    ),
    # Undo must not begin before the forward call has really ended.
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

# For ever: a request must not end without its record. Five minutes keep a day's outage to a few hundred events.
_JOURNAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
)


class System(TypedDict):
    """Options of an activity on a system whose queue follows from its name."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


ACTION = System(
    start_to_close_timeout=DIRECTORY["start_to_close_timeout"],
    schedule_to_close_timeout=DIRECTORY["schedule_to_close_timeout"],
    heartbeat_timeout=DIRECTORY["heartbeat_timeout"],
    retry_policy=DIRECTORY["retry_policy"],
    cancellation_type=DIRECTORY["cancellation_type"],
)

CAREFULLY = ("TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat")
"""What is not repeated of a call that may have done its work: an attempt that never answered. A connector says by
itself whether one that failed may have.
"""

JOURNAL = Own(start_to_close_timeout=timedelta(seconds=20), retry_policy=_JOURNAL_RETRY)

LOCAL_JOURNAL = Local(
    start_to_close_timeout=timedelta(seconds=20),
    # Past this the retry waits on a durable timer instead of holding the workflow task.
    local_retry_threshold=timedelta(seconds=20),
    retry_policy=_JOURNAL_RETRY,
)

# Given up before the watchdog looks again: what this look would have found, the next one finds.
WATCH = Own(
    start_to_close_timeout=timedelta(minutes=1),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_attempts=6),
)

# Tried for as long as the round lasts.
ROSTER = Own(
    start_to_close_timeout=timedelta(minutes=10),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_attempts=8),
)
