# SPDX-License-Identifier: Apache-2.0
"""One workload a file. Each has `measure(scale)`, which yields the rows of the result as they are known."""
