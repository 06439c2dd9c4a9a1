"""The demo's folder: what it forgets and what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.demo.run import Demo, Ports
from cli.demo.supervisor import DemoError

PORTS = Ports(18000, 17233, 18233, 13890, 12525)


@pytest.mark.parametrize("folder", ["items", "mine/of the company"])
def test_starting_over_keeps_what_authors_wrote(tmp_path: Path, folder: str) -> None:
    demo = Demo(tmp_path, tmp_path / folder, PORTS)
    demo.make_room()
    (demo.items / "badge.yaml").write_text("id: badge")
    (tmp_path / "register.db").touch()
    (tmp_path / "mail").mkdir()
    demo.reset()
    assert (demo.items / "badge.yaml").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder.partition("/")[0]]


def test_a_folder_for_items_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match=r"cannot hold items: .*--catalog"):
        Demo(tmp_path, tmp_path / "file" / "items", PORTS).make_room()
