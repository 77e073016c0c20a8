"""Which ports a stack takes."""

import socket
from pathlib import Path

import pytest

from xnovu_dev.home import Home
from xnovu_dev.ports import FIRST, HOST, LAST, choose, is_free, of_home
from xnovu_dev.problems import StackError


def test_kept_ports_are_taken_again_where_they_are_free() -> None:
    kept = {"a": 25_000, "b": 25_001}
    assert choose(("a", "b"), kept, 0, lambda port: port != 25_001) == {"a": 25_000, "b": FIRST}


def test_no_port_is_given_twice_even_when_it_was_written_down_twice() -> None:
    chosen = choose(("a", "b", "c"), {"a": 25_000, "b": 25_000}, 7, lambda _: True)
    assert chosen["a"] == 25_000
    assert len(set(chosen.values())) == 3


def test_the_search_begins_again_at_the_bottom() -> None:
    chosen = choose(("a", "b"), {}, LAST - FIRST - 1, lambda _: True)
    assert chosen == {"a": LAST - 1, "b": FIRST}


def test_when_all_are_taken_it_is_said() -> None:
    with pytest.raises(StackError, match="no free port between"):
        choose(("a",), {}, 0, lambda _: False)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_home_keeps_its_ports_and_another_home_looks_elsewhere(tmp_path: Path) -> None:
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    for home in (one, other):
        home.root.mkdir()
    first = of_home(one, ("a", "b"))
    assert of_home(one, ("a", "b")) == first
    assert not set(of_home(other, ("a", "b")).values()) & set(first.values())


def test_a_broken_file_of_ports_is_written_anew(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.ports_file.write_text("[1, 2")
    chosen = of_home(home, ("a",))
    assert of_home(home, ("a",)) == chosen
