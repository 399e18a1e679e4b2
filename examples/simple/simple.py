# SPDX-License-Identifier: Apache-2.0
"""The shortest tour: make a dict, reach it by its name, change it under the lock. Two REPLs do the same.

The second handle stands for another process: it knows nothing but the name.
"""

from UltraDict import UltraDict


def main() -> None:
    """Create, attach, read, write, lock."""
    with UltraDict({"apples": 3}, name="fruit_of_example", create=True) as fruit:
        other = UltraDict(name="fruit_of_example", create=False)
        other["pears"] = 5
        with fruit.lock:
            fruit["apples"] += 1
        print(f"here:  {fruit}")
        print(f"there: {other}")

        fruit["basket"] = ["apples"]
        basket = other["basket"]
        basket.append("pears")  # changes this process's copy alone ...
        other["basket"] = basket  # ... until it is assigned
        print(f"basket: {fruit['basket']}")


if __name__ == "__main__":
    main()
