"""The mail relay of the benchmarks: takes every mail and keeps of each one byte in a file, so that they can be counted.

Run it as ``python -m bench.rig.sink PORT FILE``; it ends when it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Counter:
    """Counts mails."""

    def __init__(self, counted: Path) -> None:
        self._out = counted.open("ab", buffering=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take one mail."""
        del server, session, envelope
        self._out.write(b".")
        return "250 OK"


async def serve(port: int, counted: Path) -> None:
    """Take mail for ever."""
    counter, loop = Counter(counted), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(counter, loop=loop), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
