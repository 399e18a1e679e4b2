# SPDX-License-Identifier: Apache-2.0
"""The work itself: which files there are, and which identifiers one of them holds.

Both sides of the comparison, the workers and the single process that checks them, use exactly these functions. A file
that cannot be read or tokenized (the standard library has some that are wrong on purpose) counts up to its first error.
"""

from __future__ import annotations

import keyword
import sysconfig
import tokenize
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

UNREADABLE = (OSError, SyntaxError, UnicodeError, tokenize.TokenError)
FOREIGN_DIRECTORIES = {"site-packages", "dist-packages", "__pycache__"}


class FileCount(NamedTuple):
    """What one file holds."""

    identifiers: Counter[str]
    tokens: int
    complete: bool


def standard_library_files() -> list[str]:
    """Every .py file of the standard library of this Python, in a fixed order."""
    root = Path(sysconfig.get_path("stdlib"))
    return sorted(str(path) for path in root.rglob("*.py") if not FOREIGN_DIRECTORIES.intersection(path.parts))


def count_file(path: str) -> FileCount:
    """Tokenize one file and count the identifiers in it; keywords are not identifiers."""
    identifiers: Counter[str] = Counter()
    tokens = 0
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")
            for token in tokenize.tokenize(file.readline):
                tokens += 1
                if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                    identifiers[token.string] += 1
    except UNREADABLE:
        return FileCount(identifiers, tokens, complete=False)
    return FileCount(identifiers, tokens, complete=True)
