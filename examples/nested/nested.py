# SPDX-License-Identifier: Apache-2.0
"""Dicts in a dict: with recurse=True each of them is shared, and a change at any depth is seen by all processes."""

from multiprocessing import get_context

from UltraDict import UltraDict


def visit(page: UltraDict[str, int], times: int) -> None:
    """A worker gets one nested dict, by itself; the lock is that of the whole."""
    for _ in range(times):
        with page.lock:
            page["visits"] += 1


def main() -> None:
    """Two workers, each on a nested dict of its own."""
    with UltraDict({"pages": {"home": {"visits": 0}}}, recurse=True) as site:
        site["pages"]["news"] = {"visits": 0}  # becomes a shared dict as well
        workers = [
            get_context("spawn").Process(target=visit, args=(site["pages"]["home"], 300)),
            get_context("spawn").Process(target=visit, args=(site["pages"]["news"], 200)),
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(site)
        print(f"plain: {type(site.to_dict()['pages']['home']).__name__}")


if __name__ == "__main__":
    main()
