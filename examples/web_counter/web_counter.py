# SPDX-License-Identifier: Apache-2.0
"""A hit counter and a rate limit that all workers of a web server share. Without a server behind it, each worker would
count for itself.

    gunicorn --workers 4 --preload web_counter:app
    curl localhost:8000/hits/a-page

`--preload` makes the dicts before the workers are forked: they inherit them, and they end with the server. Where
workers load the application for themselves, or run as another user than who starts them (`--user`), give the dicts
names that all of them open, and let them outlive the worker that happens to be the first:
`UltraDict(name="hits", auto_unlink=False)`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any, Callable

from UltraDict import UltraDict

REQUESTS_MAX = int(os.environ.get("REQUESTS_MAX", "1000"))  # of one client in a window
WINDOW_S = 60

hits: UltraDict[str, int] = UltraDict()
requests: UltraDict[Any, int] = UltraDict()  # of each client in one window, which stands under None


def add_one(counts: UltraDict[Any, int], key: str) -> int:
    """Count, with no other worker in between."""
    with counts.lock:
        counts[key] = count = counts.get(key, 0) + 1
    return count


def is_too_much(client: str) -> bool:
    """Whether the client has used up its requests; the first one of a window forgets the one before."""
    window = int(time.time()) // WINDOW_S
    with requests.lock:
        if requests.get(None) != window:
            requests.clear()
            requests[None] = window
        return add_one(requests, client) > REQUESTS_MAX


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application, as every WSGI server calls it."""
    if is_too_much(environ.get("HTTP_X_CLIENT", environ["REMOTE_ADDR"])):
        status, answer = "429 Too Many Requests", "later, please\n"
    else:
        status, answer = "200 OK", f"{add_one(hits, environ['PATH_INFO'])} {os.getpid()}\n"
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer.encode()]
