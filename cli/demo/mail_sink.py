"""The demo's mail relay: it takes every mail and keeps it as a file. For loopback only, and it sends nothing on.

A file is named after its Message-ID, so a mail that was handed over twice shows as a repeat:
``<digest>.eml``, ``<digest>.2.eml`` …

Run it as ``python -m cli.demo.mail_sink --port 2525 --data var/demo/mail``; it prints nothing but errors.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import sys
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    """Keeps mail in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep mail in `folder`, which is made if there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep one mail, with its envelope in the headers of final delivery (RFC 5321, section 4.4)."""
        del server, session
        content = envelope.original_content or b""
        receivers = "".join(f"Delivered-To: {address}\r\n" for address in envelope.rcpt_tos)
        self._keep(f"Return-Path: <{envelope.mail_from}>\r\n{receivers}".encode() + content, self._name(content))
        return "250 OK"

    def _name(self, content: bytes) -> str:
        identity = message_from_bytes(content)["Message-ID"]
        digest = hashlib.sha256(identity.strip().encode() if identity else content).hexdigest()[:16]
        earlier = len(list(self._folder.glob(f"{digest}*.eml")))
        return f"{digest}.{earlier + 1}.eml" if earlier else f"{digest}.eml"

    def _keep(self, mail: bytes, name: str) -> None:
        part = self._folder / f"{name}.part"
        with part.open("wb") as out:
            out.write(mail)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self._folder / name)


async def serve(port: int, folder: Path) -> None:
    """Take mail until SIGTERM or SIGINT."""
    sink = Sink(folder)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: SMTP(sink, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)
    await stop.wait()
    server.close()


def main() -> None:
    """Take mail until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m cli.demo.mail_sink", description="The demo's mail relay.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the mails")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.data))
    except OSError as trouble:
        sys.exit(f"cannot take mail on 127.0.0.1:{options.port}: {trouble.strerror}")


if __name__ == "__main__":
    main()
