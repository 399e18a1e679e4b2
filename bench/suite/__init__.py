# SPDX-License-Identifier: Apache-2.0
"""What the comparison of stores is made of: processes, loops, environments of peers, goals, tables and plots."""
