"""Mail texts: what a notice says to the person who gets it.

The texts are the templates in catalog/templates, part of the program as code is: the first line is the subject, the
rest the body. Who is told, when and by which relay is decided elsewhere.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from catalog.model import Model
from catalog.request import Notice
from catalog.text import moment, one_line, paragraphs

MAX_SUBJECT = 200
_TEMPLATES = Path(__file__).parent / "templates"


class MailText(Model):
    """A mail without its addresses; the subject is one line whatever went into it."""

    subject: str
    body: str


def render(notice: Notice, portal_url: str) -> MailText:
    """Return the mail for a notice.

    Args:
        notice: whose `data` fills the template.
        portal_url: where the recipient finds the platform.

    Raises:
        jinja2.UndefinedError: the data lacks something that the template names.
    """
    subject, body = _compiled(notice.template)
    values = {**notice.data, "to": notice.to, "portal_url": portal_url}
    return MailText(
        subject=one_line(subject.render(values))[:MAX_SUBJECT].rstrip(),
        body=body.render(values).strip() + "\n",
    )


@cache
def _compiled(name: str) -> tuple[Template, Template]:
    """Return the templates of subject and body; the file is read once in the life of the process."""
    subject, _, body = (_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8").partition("\n")
    return _ENVIRONMENT.from_string(subject), _ENVIRONMENT.from_string(body)


class _Block(str):
    """Text that was laid out already."""

    __slots__ = ()


def _block(value: Any) -> _Block:
    """Return somebody's words as lines of their own, indented, so that they cannot pass for ours."""
    return _Block(indent(paragraphs(str(value)), "    "))


def _shown(value: Any) -> str:
    """Return what stands in a mail for a value of the data: one line, unless the template made a block of it."""
    return value if isinstance(value, _Block) else one_line(str(value))


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,  # plain text: escapes would show
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    finalize=_shown,
)
_ENVIRONMENT.filters |= {"moment": moment, "block": _block}
