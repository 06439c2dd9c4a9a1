"""The mail sink: what is handed over is on disk, and a repeat shows."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from activities.connectors.smtp import Security, SmtpMail, SmtpSettings


@pytest.fixture
def port(serve: Callable[[str, int], subprocess.Popen[bytes]], free_port: int) -> int:
    serve("mail_sink", free_port)
    return free_port


def deliver(port: int, message_id: str | None, to: str = "jonas.berg@nordlys.example") -> None:
    mail = EmailMessage()
    mail["Subject"] = "Hello"
    if message_id:
        mail["Message-ID"] = message_id
    mail.set_content("A line.\n.\nAnother one.\n")
    with smtplib.SMTP("127.0.0.1", port) as relay:
        relay.send_message(mail, "commissary@nordlys.example", [to])


def test_a_mail_is_kept_with_its_envelope(port: int, tmp_path: Path) -> None:
    deliver(port, "<one@test>")
    (file,) = tmp_path.glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert mail["Return-Path"] == "<commissary@nordlys.example>"
    assert mail["Delivered-To"] == "jonas.berg@nordlys.example"
    assert mail.get_content().replace("\r\n", "\n") == "A line.\n.\nAnother one.\n"


def test_a_repeat_shows_as_a_repeat(port: int, tmp_path: Path) -> None:
    for message_id in ("<one@test>", "<two@test>", "<one@test>", "<one@test>"):
        deliver(port, message_id)
    names = sorted(file.name for file in tmp_path.glob("*.eml"))
    repeated = [name for name in names if name.count(".") == 2]
    assert len(names) == 4
    assert len({name.split(".")[0] for name in repeated}) == 1
    assert [name.split(".")[1] for name in repeated] == ["2", "3"]


def test_it_takes_what_the_connector_sends(port: int, tmp_path: Path) -> None:
    settings = SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE, sender="Ünal <unal@nordlys.example>")
    SmtpMail(settings).send(to="åsa@nordlys.example", subject="Hej Åsa", body="Välkommen\n", message_id="<three@test>")
    (file,) = tmp_path.glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert (mail["Subject"], mail.get_content().replace("\r\n", "\n")) == ("Hej Åsa", "Välkommen\n")


def test_it_prints_nothing(port: int, tmp_path: Path) -> None:
    deliver(port, None)
    assert (tmp_path / "mail_sink.log").read_text() == ""
