"""The supervisor: all children run, or none is left, whatever happens to whom."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
from support.waiting import eventually

from cli.demo import supervisor as demo
from cli.demo.supervisor import Child, supervised
from cli.demo.warden import left

ROOT = Path(__file__).parents[2]

SLEEPER = "import signal; print('ready'); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); signal.pause()"
POLITE = (
    "import pathlib, signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path('{file}').write_text('bye'), sys.exit()))\n"
    "print('ready'); signal.pause()"
)
PARENT = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid); signal.pause()
"""


def python(name: str, code: str, ready: Callable[[], bool] = lambda: True, within: float = 20.0) -> Child:
    return Child(name, (sys.executable, "-c", code), ready, within=within)


def pid_of(running: demo.Supervisor, name: str) -> int:
    return next(one.process.pid for one in running._running if one.child.name == name)


def printed(log: Path) -> Callable[[], bool]:
    return lambda: log.exists() and log.read_text() != ""


def is_gone(pid: int) -> bool:
    """A zombie is gone: whoever inherited it has only to be told."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_runs_children_in_turn_and_stops_them_in_reverse(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import pathlib, signal, sys; order = pathlib.Path(sys.argv[1]); name = sys.argv[2]\n"
        "def note(what):\n"
        "    with order.open('a') as out: out.write(what + name + ' ')\n"
        "def end(*_):\n"
        "    note('-'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); note('+'); signal.pause()\n"
    )

    def started(name: str) -> Callable[[], bool]:
        return lambda: order.exists() and f"+{name}" in order.read_text()

    with supervised(tmp_path) as running:
        for name in "abc":
            running.start(Child(name, (sys.executable, "-c", code, str(order), name), started(name)))
    assert order.read_text() == "+a +b +c -c -b -a "


def test_a_stop_leaves_nothing_not_even_of_the_stubborn_and_of_grandchildren(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with supervised(tmp_path, grace=0.3) as running:
        running.start(python("stubborn", STUBBORN, printed(logs / "stubborn.log")))
        running.start(python("parent", PARENT, printed(logs / "parent.log")))
        pids = [pid_of(running, "stubborn"), pid_of(running, "parent"), int((logs / "parent.log").read_text())]
        assert not any(is_gone(pid) for pid in pids)
    assert eventually(lambda: all(is_gone(pid) for pid in pids))
    assert [child.pid for child in psutil.Process().children() if child.pid in pids] == []


def test_children_run_in_sessions_of_their_own_so_that_ctrl_c_is_ours(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        running.start(python("sleeper", SLEEPER))
        assert os.getsid(pid_of(running, "sleeper")) != os.getsid(0)


def test_a_childs_death_stops_the_others_and_is_one_line(tmp_path: Path) -> None:
    dying = "print('loading'); raise SystemExit('the database is gone')"
    with supervised(tmp_path) as running:
        running.start(python("sleeper", SLEEPER))
        pid = pid_of(running, "sleeper")
        with pytest.raises(demo.ChildDied) as death:
            running.start(python("worker", dying, ready=lambda: False))
        assert eventually(lambda: is_gone(pid))
    assert str(death.value) == (
        f"worker ended with exit code 1; last line: 'the database is gone', all of it: {tmp_path}/logs/worker.log"
    )


def test_a_death_while_watching_ends_the_watch(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        running.start(python("first", SLEEPER, printed(tmp_path / "logs" / "first.log")))
        running.start(python("second", SLEEPER))
        first, second = pid_of(running, "first"), pid_of(running, "second")
        os.kill(first, signal.SIGKILL)
        with pytest.raises(demo.ChildDied, match=r"first was killed by SIGKILL; last line: 'ready', all of it: "):
            running.watch()
        assert eventually(lambda: is_gone(second))


def test_a_watch_ends_with_its_event(tmp_path: Path) -> None:
    done = threading.Event()
    done.set()
    with supervised(tmp_path) as running:
        running.start(python("sleeper", SLEEPER))
        running.watch(done)
        assert not is_gone(pid_of(running, "sleeper"))


def test_a_child_that_gets_not_ready_is_stopped(tmp_path: Path) -> None:
    with supervised(tmp_path, grace=0.2) as running:
        with pytest.raises(demo.NotReady, match=r"api did not get ready within 0\.5 s") as error:
            running.start(python("api", STUBBORN.replace("'ready'", "'still loading', flush=True"), lambda: False, 0.5))
        assert "\n" not in str(error.value)
        assert running._running == []


def test_a_missing_program_is_named_and_stops_the_others(tmp_path: Path) -> None:
    with supervised(tmp_path) as running:
        running.start(python("sleeper", SLEEPER))
        pid = pid_of(running, "sleeper")
        with pytest.raises(demo.MissingProgram, match="temporal needs the program no-such-program"):
            running.start(Child("temporal", ("no-such-program",), lambda: True))
        assert eventually(lambda: is_gone(pid))


def test_a_child_gets_its_environment_and_its_own_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    (tmp_path / "logs").mkdir()
    log.write_text("of the run before")
    code = "import os, signal, sys; print(os.environ['CHILD_SAYS']); print('and', file=sys.stderr); signal.pause()"
    with supervised(tmp_path) as running:
        child = Child(
            "child", (sys.executable, "-c", code), lambda: "and" in log.read_text(), env={"CHILD_SAYS": "hello"}
        )
        running.start(child)
    assert log.read_text() == "hello\nand\n"


def test_ctrl_c_while_a_child_gets_ready_leaves_no_orphans(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupted() -> bool:
        pids.append(int((tmp_path / "logs" / "child.log").read_text() or "0"))
        if pids[-1]:
            raise KeyboardInterrupt
        return False

    code = STUBBORN.replace("print('ready')", "import os; print(os.getpid())")
    with pytest.raises(KeyboardInterrupt), supervised(tmp_path, grace=0.3) as running:
        running.start(python("child", code, interrupted))
    assert is_gone(pids[-1])


def test_ctrl_c_right_after_a_child_was_started_leaves_no_orphan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor then knows nothing of the child; the warden does, by the name the child gave itself."""
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]  # as they came
            started.append(self)
            raise KeyboardInterrupt

    def start_interrupted(running: demo.Supervisor) -> None:
        monkeypatch.setattr("cli.demo.supervisor.subprocess.Popen", Interrupted)
        running.start(python("child", STUBBORN))

    with pytest.raises(KeyboardInterrupt), supervised(tmp_path, grace=0.3) as running:
        start_interrupted(running)
    (child,) = started
    # Nobody waits any more: the warden has ended by now, and whatever it left would still run.
    assert is_gone(child.pid)
    assert child.wait(1) < 0


def test_the_warden_leaves_alone_what_the_supervisor_has_ended() -> None:
    assert left([11, 12, 13, -12, -14]) == [11, 13]
    assert left([11, -11, 11]) == [11]


def test_a_folder_that_cannot_be_made_is_one_clear_line() -> None:
    with (
        pytest.raises(demo.DemoError, match=r"/dev/null/x cannot hold the demo's data: .*; choose another with --data"),
        supervised(Path("/dev/null/x")),
    ):
        pass


SCRIPT = """
import signal, sys
from pathlib import Path
from cli.demo.supervisor import Child, supervised

# The tests may run under nohup, which has it ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
data, codes = Path(sys.argv[1]), sys.argv[2:]
with supervised(data, grace=0.5) as running:
    for n, code in enumerate(codes):
        log = data / "logs" / f"child{n}.log"
        running.start(Child(f"child{n}", (sys.executable, "-c", code), lambda: log.read_text() != ""))
    print(*(one.process.pid for one in running._running), flush=True)
    running.watch()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], list[int]]]]:
    """Run a supervisor in a process of its own; returns it and the ids of its children."""
    started: list[subprocess.Popen[str]] = []

    def start(*codes: str) -> tuple[subprocess.Popen[str], list[int]]:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), *codes]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        return process, [int(pid) for pid in process.stdout.readline().split()]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_kill_9_of_the_supervisor_leaves_no_orphans(
    other: Callable[..., tuple[subprocess.Popen[str], list[int]]],
) -> None:
    process, children = other(SLEEPER, STUBBORN)
    everybody = [one.pid for one in psutil.Process(process.pid).children(recursive=True)]
    assert set(children) < set(everybody)
    process.kill()
    process.wait()
    assert eventually(lambda: all(is_gone(pid) for pid in everybody))


def test_kill_9_of_the_supervisor_lets_the_children_end_in_good_order(
    other: Callable[..., tuple[subprocess.Popen[str], list[int]]], tmp_path: Path
) -> None:
    process, _ = other(POLITE.format(file=tmp_path / "bye"))
    process.kill()
    process.wait()
    assert eventually((tmp_path / "bye").exists)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_signal_to_the_supervisor_leaves_orphans(
    other: Callable[..., tuple[subprocess.Popen[str], list[int]]], number: signal.Signals
) -> None:
    process, _ = other(SLEEPER, SLEEPER)
    everybody = [one.pid for one in psutil.Process(process.pid).children(recursive=True)]
    os.killpg(process.pid, number)
    process.wait(20)
    assert eventually(lambda: all(is_gone(pid) for pid in everybody))


def test_a_second_demo_on_the_same_data_is_refused_until_nothing_is_left_of_the_first(
    other: Callable[..., tuple[subprocess.Popen[str], list[int]]], tmp_path: Path
) -> None:
    process, children = other(STUBBORN)
    in_use = rf"{tmp_path} is in use by another demo \(process {process.pid}\)"
    with pytest.raises(demo.AlreadyRunning, match=in_use), supervised(tmp_path):
        pass
    process.kill()
    process.wait()

    def is_let_in() -> bool:
        try:
            with supervised(tmp_path):
                return True
        except demo.AlreadyRunning:
            return False

    eventually(is_let_in)
    assert eventually(lambda: all(is_gone(pid) for pid in children), timeout=0.2)


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(demo.PortTaken) as error:
            demo.port_free(port, "--api-port")
    assert str(error.value) == f"port {port} on 127.0.0.1 is taken by another program; choose another with --api-port"
    demo.port_free(port, "--api-port")


def test_a_port_is_ready_when_it_accepts(free_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        demo.accepts(free_port)()
    with socket.create_server(("127.0.0.1", free_port)):
        assert demo.accepts(free_port)()


def test_a_url_is_ready_when_it_answers_well(monkeypatch: pytest.MonkeyPatch) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server asks for
            self.send_response(200 if self.path == "/readyz" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert demo.answers(f"{base}/readyz")()
        with pytest.raises(OSError, match="503"):
            demo.answers(f"{base}/other")()
        server.shutdown()
        thread.join()
