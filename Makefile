# SPDX-License-Identifier: Apache-2.0
# The commands of this repository. Each works on a fresh clone, installs what it needs and leaves alone what is done:
# `make` prints the list. Files marked with a stamp in .venv/ depend on what they were made from.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
JOBS ?= $(shell nproc)
STRESS_MINUTES ?= 10
CAMPAIGNS ?=

venv_python := .venv/bin/python
pip := $(venv_python) -m pip --disable-pip-version-check
install_package := $(pip) install -q --no-build-isolation \
  -C cmake.define.ULTRADICT_DEVELOPER=ON -C build-dir=build/package
cpp_files = $(shell find include src python/ext tests bench examples tools -name '*.h' -o -name '*.cc' 2>/dev/null)
package_sources := CMakeLists.txt pyproject.toml \
  $(shell find cmake include src python -type f -not -name '*.pyc' 2>/dev/null)
export PYTHON
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

.PHONY: help install demo test check bench versus versus-quick stress mutants coverage format clean \
  build-dev build-coverage build-asan build-tsan build-release build-clang check-cpp check-python check-memory check-pythons \
  check-instructions

help:  ## Say what each of these commands does
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

install: .venv/package-installed  ## Install UltraDict with what demo and tests need into .venv/

demo: install  ## Several processes count the identifiers of the standard library; one is killed half-way
	$(venv_python) demo/count_identifiers.py

# GoogleTest and pytest close with a line of their own each; the numbers that ctest puts before them are taken off.
test: install build-dev build-asan build-tsan  ## Engine tests, Python suite, sanitizers and a quick benchmark
	ctest --test-dir build/dev --parallel $(JOBS) --verbose | sed -uE 's/^[0-9]+: ?//'
	ctest --preset asan --parallel $(JOBS)
	ctest --preset tsan --parallel $(JOBS)
	ULTRADICT_BUILD=build/dev $(venv_python) bench/run.py --quick
	$(venv_python) bench/versus.py --trial

check: check-cpp check-python check-memory check-pythons check-instructions  ## All that says how clean it is: lint, types, memory, Pythons, cost

bench: install build-release  ## Measure every goal beside plain dict, with machine and versions
	ULTRADICT_BUILD=build/release $(venv_python) bench/run.py

versus: install build-release  ## Measure us beside every other store, three quarters of an hour, and write docs/benchmarks.md from it
	$(venv_python) bench/versus.py --json bench/results/versus.json
	$(venv_python) bench/report.py

versus-quick: install build-release  ## The same in some minutes, with rough figures, into build/ and no document
	$(venv_python) bench/versus.py --quick --json build/versus.json

stress: install build-dev  ## Every campaign at full length, hours; or CAMPAIGNS="histories fuzz" (tools/stress.sh)
	tools/stress.sh $(venv_python) build/dev $(STRESS_MINUTES) $(CAMPAIGNS)

mutants: .venv/dev-installed  ## Plant the bugs of tests/mutants/, and show that a test catches each; half an hour
	@tools/debian_packages.sh build test
	$(venv_python) tools/mutants.py

coverage: build-coverage  ## Which branches of the engine its tests take; the rest with reasons
	$(PYTHON) tools/coverage.py build/coverage $(foreach name,engine/engine_tests engine/crash_tests \
	  campaigns/campaigns interleavings/interleavings,build/coverage/tests/$(name))

format: .venv/dev-installed  ## Format all C++ and Python sources
	clang-format-14 -i $(cpp_files)
	$(venv_python) -m ruff check --fix-only -q .
	$(venv_python) -m ruff format -q .

clean:  ## Remove what the other commands made
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --- parts of check ---

check-cpp:  ## C++: formatting, clang's warnings, clang-tidy
	@tools/debian_packages.sh check
	clang-format-14 --dry-run -Werror $(cpp_files)
	$(MAKE) build-clang

check-python: .venv/dev-installed  ## Python: lint, formatting, types by two checkers, stubs, house rules
	$(venv_python) -m ruff check .
	$(venv_python) -m ruff format --check .
	$(venv_python) -m mypy
	$(venv_python) -m pyright
	$(venv_python) -m mypy.stubtest UltraDict
	$(venv_python) -m pytest -q tests/house tests/typing

check-memory: install  ## The Python suite under AddressSanitizer, and with the debug allocator of CPython
	tools/memory_checks.sh $(venv_python)

check-instructions: install build-release  ## Instructions of each operation, beside those recorded in bench/
	@tools/debian_packages.sh instructions
	$(venv_python) tools/instructions.py build/release

check-pythons: install  ## The Python suite on every other CPython 3.9 to 3.14 found
	tools/other_pythons.sh $(venv_python)

# --- builds ---

build-dev: .venv/made  ## Build engine, tests and programs
	@tools/debian_packages.sh build test histories model
	cmake --preset dev -DULTRADICT_TEST_PYTHON=$(CURDIR)/$(venv_python) >/dev/null
	cmake --build --preset dev

build-asan:  ## Build the engine tests with AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/debian_packages.sh build test
	cmake --preset asan >/dev/null
	cmake --build --preset asan

build-tsan:  ## Build the engine tests with ThreadSanitizer
	@tools/debian_packages.sh build test
	cmake --preset tsan >/dev/null
	cmake --build --preset tsan

build-coverage:  ## Build the engine tests so that they count the branches they take
	@tools/debian_packages.sh build test check coverage
	cmake --preset coverage >/dev/null
	cmake --build --preset coverage

build-release:  ## Build the programs as they are measured
	@tools/debian_packages.sh build bench
	cmake --preset release >/dev/null
	cmake --build --preset release

build-clang: .venv/made  ## Build everything with clang; clang-tidy looks at each file, and again when it changed
	@tools/debian_packages.sh build test check
	cmake --preset clang -DPython_EXECUTABLE=$(CURDIR)/$(venv_python) >/dev/null
	cmake --build --preset clang -- -k 0

# --- stamps ---

.venv/made:
	@tools/debian_packages.sh build
	$(PYTHON) -m venv .venv
	$(pip) install -q 'pip>=23.1' 'scikit-build-core>=0.10,<2'
	@touch $@

.venv/package-installed: .venv/made $(package_sources)
	$(install_package) '.[test,demo,bench]'
	@touch $@

.venv/dev-installed: .venv/package-installed
	@tools/debian_packages.sh check
	$(install_package) '.[test,demo,bench,dev]'
	@touch $@
