# SPDX-License-Identifier: Apache-2.0
"""A real gunicorn with four workers: every hit is counted once, by whichever worker, and the limit is one for all."""

from __future__ import annotations

import http.client
import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

WORKERS = 4
CLIENTS = 8
HITS = 50
NAMES = ["hits", "requests"]


def answer(port: int, path: str, client: str) -> tuple[int, str]:
    """Status and text of one request, over a connection of its own, so that any worker may get it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"X-Client": client})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


@pytest.fixture(params=[["--preload"], []], ids=["preloaded", "opened by each worker"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Of a gunicorn that serves the example, on a socket that was bound here: no port can be taken away."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    source = Path(__file__).with_name("web_counter.py").read_text()
    if not request.param:  # what the example says for servers that do not preload
        for name in NAMES:
            source = re.sub(
                rf"^({name}: .*= UltraDict)\(\)", rf'\1(name="{name}", auto_unlink=False)', source, flags=re.M
            )
    (tmp_path / "web_counter.py").write_text(source)
    command = [sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"fd://{listening.fileno()}"]
    command += ["--worker-tmp-dir", str(tmp_path), "--log-level", "warning", *request.param]
    places = {"ULTRADICT_DIR": str(tmp_path / "dicts"), "HOME": str(tmp_path)}
    environment = {**os.environ, **places, "REQUESTS_MAX": str(HITS)}
    server = subprocess.Popen(
        [*command, "web_counter:app"],
        cwd=tmp_path,
        env=environment,
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
    )
    yield listening.getsockname()[1]
    server.send_signal(signal.SIGTERM)
    errors = server.communicate(timeout=60)[1]
    listening.close()
    assert (server.returncode, errors) == (0, b"")
    left = sorted(path.name for path in (tmp_path / "dicts" / "n").iterdir())
    assert left == ([] if request.param else NAMES)


def test_windows_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    example = importlib.import_module("web_counter")
    for window in range(3):
        monkeypatch.setattr(example.time, "time", lambda now=window * example.WINDOW_S: now)
        assert not any(example.is_too_much(f"{window} {number}") for number in range(5))
        assert len(example.requests) == 1 + 5


def test_all_workers_count_in_one_dict(port: int) -> None:
    answers: list[tuple[int, str]] = []

    def visit(number: int) -> None:
        answers.extend(answer(port, "/hits/page", f"client {number}") for _ in range(HITS))

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(CLIENTS)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert {status for status, _ in answers} == {200}
    counted = sorted(int(text.split()[0]) for _, text in answers)
    assert counted == list(range(1, CLIENTS * HITS + 1))
    assert len({text.split()[1] for _, text in answers}) > 1, "one worker did it all"


def test_the_limit_is_one_for_all_workers(port: int) -> None:
    statuses = [answer(port, "/", "greedy")[0] for _ in range(HITS + 5)]
    if statuses[-1] == 200:  # a new minute began in the middle
        statuses = [answer(port, "/", "greedy")[0] for _ in range(HITS + 5)]
    assert statuses.count(429) >= 5
    assert answer(port, "/", "modest")[0] == 200
