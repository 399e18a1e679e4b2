# SPDX-License-Identifier: Apache-2.0
"""A process of a store: `worker.py STORE SOCKET`. It does what the suite tells it over the socket until that closes."""

from __future__ import annotations

import sys

from suite.lifetime import die_with_parent
from suite.member import Member, serve

if __name__ == "__main__":
    die_with_parent()
    serve(Member(sys.argv[1], sys.argv[2]))
