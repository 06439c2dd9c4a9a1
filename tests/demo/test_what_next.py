"""What the demo proposes to try can be read, and copied, in a terminal of 80 columns."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo.run import Demo, Ports, _say_what_next


@pytest.fixture
def said() -> str:
    out = StringIO()
    data = Path("/srv/commissary/var/demo")
    demo = Demo(data, data / "items", Ports(18000, 17233, 18233, 13890, 12525))
    _say_what_next(demo, "REQ-1041", Console(file=out, width=80))
    return out.getvalue()


def test_the_commands_name_the_request_that_comes_next(said: str) -> None:
    assert "commissary request show REQ-1042 --follow\n" in said
    assert "commissary task decide REQ-1042.1 approve\n" in said
    assert "REQ-1041" not in said


def test_every_fact_and_command_is_a_line_of_its_own(said: str) -> None:
    lines = [line.rstrip() for line in said.splitlines()]
    assert max(map(len, lines)) <= 80
    for line in (
        "API:              http://127.0.0.1:18000/",
        "workflow engine:  http://127.0.0.1:18233/",
        "your own items:   /srv/commissary/var/demo/items",
        "mail to people:   /srv/commissary/var/demo/mail",
        "mara.lind:        is his manager, and hana.suzuki's",
        "export COMMISSARY_URL=http://127.0.0.1:18000",
        'commissary request order finance-reports -a purpose="Budget 2027" \\',
        "  -a personnel_costs=no -a contact=greta.holm",
    ):
        assert line in lines
