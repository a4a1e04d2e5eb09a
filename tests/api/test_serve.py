"""The server process: how it starts, whom it cuts, and how it ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO
from urllib.request import Request as HTTPRequest
from urllib.request import urlopen

import pytest
import uvicorn
from click.testing import CliRunner
from graphql import build_schema
from starlette.requests import Request
from starlette.types import ASGIApp

from mentorgraph.api.app import create_app
from mentorgraph.api.commands import main
from mentorgraph.api.server import PunctualProtocol, is_loopback, listen

SUPERVISOR = """
import sys
from mentorgraph.api import supervisor
from mentorgraph.api.server import listen, serve
listener = listen("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
supervisor.STUCK_AFTER_S = float(sys.argv[3])
sys.exit(serve(sys.argv[1], listener, workers=int(sys.argv[2])))
"""
NEVER = 600.0
LOST = (OSError, HTTPException)


def small_app() -> ASGIApp:
    """The factory that the servers of this module run; their workers import it from this file."""

    async def no_context(request: Request) -> None:
        return None

    async def ready() -> Mapping[str, object]:
        return {}

    async def slow(_source: object, _info: object, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return os.getpid()

    def stuck(_source: object, _info: object, seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()

    schema = build_schema("type Query { worker(seconds: Float = 0): Int, stuck(seconds: Float!): Int, large: String }")
    assert schema.query_type
    schema.query_type.fields["worker"].resolve = slow
    schema.query_type.fields["stuck"].resolve = stuck
    schema.query_type.fields["large"].resolve = lambda *_: "x" * 20_000_000
    return create_app(schema, context=no_context, ready=ready)


def heedless_app() -> ASGIApp:
    """As the small one, in workers that cannot end themselves."""
    for name in ("kill", "_exit"):
        setattr(os, name, lambda *_: None)
    return small_app()


def broken_app() -> ASGIApp:
    """A factory that fails."""
    raise RuntimeError("no")


def ask(port: int, query: str = "{ worker }") -> object:
    request = HTTPRequest(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"content-type": "application/json"},
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 (our own loopback address)
        return json.load(answer)["data"]["worker"]


def wait_until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        ask(port)
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    try:
        listen("127.0.0.1", port).close()
    except OSError:
        return False
    return True


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # an orphan in a container may stay a zombie, which runs no more
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@contextlib.contextmanager
def server_process(
    factory: str, workers: int, *, stuck_after_s: float = NEVER, log: int | IO[str] = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, f"test_serve:{factory}", str(workers), str(stuck_after_s)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert process.stdout
        yield process, int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=30)


def worker_pids(port: int, count: int) -> set[int]:
    found: set[int] = set()

    def ask_again() -> bool:
        with contextlib.suppress(OSError):
            found.add(int(str(ask(port))))
        return len(found) == count

    wait_until(ask_again, within_s=60)
    return found


def test_workers_share_a_port_and_end_on_sigterm() -> None:
    with server_process("small_app", workers=2) as (process, port):
        pids = worker_pids(port, 2)
        assert process.pid not in pids
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not any(is_running(pid) for pid in pids)
        assert is_free(port)


def test_a_killed_worker_is_replaced() -> None:
    with server_process("small_app", workers=2) as (_, port):
        killed, other = worker_pids(port, 2)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: ask_gently(port) not in {None, killed, other}, within_s=60)


def ask_gently(port: int) -> object:
    with contextlib.suppress(OSError):
        return ask(port)
    return None


def test_workers_end_and_free_the_port_when_their_supervisor_is_killed() -> None:
    with server_process("small_app", workers=2) as (process, port):
        pids = worker_pids(port, 2)
        try:
            process.kill()
            wait_until(lambda: not any(is_running(pid) for pid in pids), within_s=15)
            assert is_free(port)
        finally:
            for pid in filter(is_running, pids):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_workers_that_do_not_look_after_their_supervisor_outlive_it_and_keep_the_port() -> None:
    with server_process("heedless_app", workers=2) as (process, port):
        pids = worker_pids(port, 2)
        try:
            process.kill()
            time.sleep(3)
            assert all(map(is_running, pids))
            assert (is_free(port), answers(port)) == (False, True)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


def test_one_worker_finishes_its_requests_before_it_ends() -> None:
    with server_process("small_app", workers=1) as (process, port):
        wait_until(lambda: answers(port), within_s=30)
        threading.Timer(0.5, process.terminate).start()
        assert ask(port, "{ worker(seconds: 1.5) }") == process.pid
        process.wait(timeout=30)
        assert is_free(port)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_application_that_cannot_start_ends_the_server_at_once_and_says_why(workers: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stream, server_process("broken_app", workers, log=stream) as (process, _):
        wait_until(lambda: "RuntimeError: no" in log.read_text("utf-8"), within_s=60)
        assert process.wait(timeout=10) == 3
    assert "The application could not be loaded." in log.read_text("utf-8")


def test_a_worker_that_is_stuck_or_stopped_is_told_of_and_replaced_and_one_that_only_works_is_not(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with log.open("w") as stream, server_process("small_app", 2, stuck_after_s=2, log=stream) as (_, port):
        pids = worker_pids(port, 2)
        assert ask(port, "{ worker: stuck(seconds: 1) }") in pids
        with pytest.raises(LOST):
            ask(port, "{ worker: stuck(seconds: 60) }")
        wait_until(lambda: not all(map(is_running, pids)), within_s=20)
        [stuck] = [pid for pid in pids if not is_running(pid)]
        [stopped] = pids - {stuck}
        os.kill(stopped, signal.SIGSTOP)
        wait_until(lambda: not is_running(stopped), within_s=20)
        assert worker_pids(port, 2).isdisjoint(pids)
    said = log.read_text("utf-8")
    assert re.search(rf'Worker {stuck} has not moved for .*\n.*\n.*File ".*test_serve\.py", line \d+ in stuck', said)
    assert f"Worker {stopped} has not moved for" in said


@pytest.mark.slow
def test_a_stuck_worker_that_nobody_looks_after_stays() -> None:
    with server_process("small_app", 2, stuck_after_s=NEVER) as (_, port):
        first, second = worker_pids(port, 2)
        os.kill(first, signal.SIGSTOP)
        time.sleep(3)
        assert is_running(first)
        assert is_running(second)
        os.kill(first, signal.SIGCONT)


@pytest.mark.slow
def test_a_server_that_was_paused_as_a_whole_goes_on_with_its_workers() -> None:
    with server_process("small_app", 2, stuck_after_s=2) as (process, port):
        pids = worker_pids(port, 2)
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in (process.pid, *pids):
                os.kill(pid, number)
            time.sleep(3)
        assert worker_pids(port, 2) == pids


class ImpatientProtocol(PunctualProtocol):
    """The protocol with a patience that a test can wait for."""

    patience_s = 0.4


@pytest.fixture(scope="module")
def impatient_port() -> Iterator[int]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        small_app, factory=True, http=ImpatientProtocol, ws="none", log_config=None, timeout_keep_alive=65
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join(timeout=30)
    assert not thread.is_alive()


HEAD = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"query": "{ worker }"}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def is_cut(connection: socket.socket, within_s: float = 5) -> bool:
    """Read all that comes until the server closes the connection; say whether it does."""
    connection.settimeout(within_s)
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "packets",
    [
        pytest.param([], id="at once"),
        pytest.param([b"\r\n"], id="after an empty line"),
        pytest.param([HEAD], id="in the head"),
        pytest.param([HEAD + b"Content-Length: 30\r\n\r\n{"], id="in the body"),
        pytest.param([WHOLE, b"\r\n"], id="in an empty line after a request"),
        pytest.param([WHOLE + b"POST"], id="in the head of the second of two requests"),
        pytest.param([WHOLE + WHOLE + HEAD], id="in the head of the third of three requests"),
    ],
)
def test_a_client_that_stops_in_the_middle_is_cut(impatient_port: int, packets: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", impatient_port)) as connection:
        for packet in packets:
            connection.sendall(packet)
            time.sleep(ImpatientProtocol.patience_s / 2)
        assert is_cut(connection)


def test_a_client_that_sends_byte_by_byte_is_cut(impatient_port: int) -> None:
    def drip() -> None:
        with socket.create_connection(("127.0.0.1", impatient_port)) as connection:
            for byte in HEAD + b"X: y\r\n" * 20:
                connection.send(bytes([byte]))
                time.sleep(0.02)

    with pytest.raises(ConnectionError):
        drip()


def test_a_client_that_pauses_between_requests_is_kept(impatient_port: int) -> None:
    connection = HTTPConnection("127.0.0.1", impatient_port)
    with contextlib.closing(connection):
        connection.connect()
        opened = connection.sock
        for _ in range(3):
            connection.request("POST", "/graphql", BODY, {"content-type": "application/json"})
            assert connection.getresponse().read().startswith(b'{"data":{"worker":%d}' % os.getpid())
            assert connection.sock is opened
            time.sleep(2 * ImpatientProtocol.patience_s)


def test_a_client_that_waits_for_a_slow_answer_is_kept(impatient_port: int) -> None:
    assert ask(impatient_port, "{ worker(seconds: 1.2) }") == os.getpid()


def test_a_client_that_does_not_take_its_answer_is_cut(impatient_port: int) -> None:
    body = b'{"query": "{ large }"}'
    with socket.create_connection(("127.0.0.1", impatient_port)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(4 * ImpatientProtocol.patience_s)
        taken = 0
        with contextlib.suppress(ConnectionResetError):
            connection.settimeout(5)
            while chunk := connection.recv(1_000_000):
                taken += len(chunk)
    assert taken < 20_000_000


def test_an_endless_head_is_refused_and_a_long_one_is_read(impatient_port: int) -> None:
    for size, status in ((30_000, b"200"), (300_000, b"400")):
        with socket.create_connection(("127.0.0.1", impatient_port)) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(WHOLE.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * size + b"\r\n\r\n"))
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(65_536).startswith(b"HTTP/1.1 " + status)


def test_answers_do_not_wait_for_more_to_send() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["serve", *arguments])
    return result.exit_code, result.output.strip()


def test_nothing_is_served_without_sign_in_but_the_demo_on_this_machine() -> None:
    code, said = run()
    assert (code, "\n" in said, "--demo" in said) == (1, False, True)
    code, said = run("--demo", "--host", "0.0.0.0")  # noqa: S104
    assert (code, "\n" in said, "this machine only" in said) == (1, False, True)
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "0.0.0.0", "192.0.2.1")] == [True, True, False, False]  # noqa: S104


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert run("--demo", "--port", str(port)) == (
            1,
            f"Error: port {port} of 127.0.0.1 is taken; choose another one with --port.",
        )


def test_a_name_that_does_not_exist_is_said_in_one_sentence() -> None:
    code, said = run("--demo", "--host", "no-such-host.invalid")
    assert (code, "\n" in said, "no-such-host.invalid" in said) == (1, False, True)
