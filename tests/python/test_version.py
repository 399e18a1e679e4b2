# SPDX-License-Identifier: Apache-2.0
"""UltraDict.__version__, which is looked up when it is asked for."""

from __future__ import annotations

from importlib.metadata import version

import pytest

import UltraDict


def test_it_is_that_of_the_distribution() -> None:
    assert UltraDict.__version__ == version("ultradict")


def test_what_the_package_does_not_have_is_named() -> None:
    with pytest.raises(AttributeError, match="module 'UltraDict' has no attribute 'nothing'"):
        UltraDict.nothing  # type: ignore[attr-defined]
