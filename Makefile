# One word for each task. Whatever a task needs is installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt -e

# Nets as small as these gain nothing from a second thread, and waiting for it costs much on a busy
# machine. The tests run in two processes instead.
ONE_THREAD := OMP_NUM_THREADS=1
TEST := $(ONE_THREAD) $(BIN)/python -m pytest -n 2

# What an installation is made of: the sources of the compiled core, and which files of Python there
# are (a folder is newer when one of its files comes, goes or moves).
SOURCES := CMakeLists.txt $(wildcard native/*.* native/core/*) \
    $(shell find src -type d -not -name __pycache__)
SANITIZE := -std=c++17 -O1 -g -march=native -ffp-contract=fast -Wall -Wextra -Wno-psabi -Inative \
    -fno-sanitize-recover=all -pthread

.PHONY: help demo test test-all sanitize lint bench docs pictures clean

help:
	@echo "make demo      train on handwritten digits from 16 random starts"
	@echo "make test      the fast tests"
	@echo "make test-all  the fast tests, then the slow ones and the examples"
	@echo "make sanitize  the compiled core under AddressSanitizer, UBSan and ThreadSanitizer"
	@echo "make lint      style, types and who may import whom"
	@echo "make bench     speed of value and gradient and of whole searches; what combining starts gains; gradient checkers; diagnosis; estimators and their search"
	@echo "make docs      write docs/command-line-reference.md from the program itself"
	@echo "make pictures  make docs/pictures, with Debian's chromium and chromium-driver"
	@echo "make clean     remove .venv and caches"

demo: .venv/installed
	$(ONE_THREAD) $(BIN)/symbreak train --dataset digits --starts 16 --hidden 30 --activation tanh \
	    --seed 0 --model demo.symbreak --json demo.json

test: .venv/installed
	$(TEST) -m "not slow"

test-all: test
	$(TEST) -m slow

sanitize:
	mkdir -p build
	$(CXX) $(SANITIZE) -fsanitize=address,undefined native/driver.cpp -o build/driver-address
	build/driver-address
	$(CXX) $(SANITIZE) -fsanitize=thread native/driver.cpp -o build/driver-thread
	build/driver-thread

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-bench
	$(BIN)/python benchmarks/value_and_gradient.py
	$(BIN)/python benchmarks/combining_starts.py
	$(BIN)/python benchmarks/optimise.py
	$(BIN)/python benchmarks/gradient_check.py
	$(BIN)/python benchmarks/diagnosis.py
	$(BIN)/python benchmarks/symmetries.py
	$(BIN)/python benchmarks/weights_scan.py
	$(BIN)/python benchmarks/diagnosis_tools.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/single_fit.py
	$(BIN)/python benchmarks/quality.py

docs: .venv/installed
	$(BIN)/python docs/write_command_line_reference.py

pictures: .venv/installed
	$(ONE_THREAD) $(BIN)/python docs/make_pictures.py

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# The stamp comes last, so an installation that was cut off is made anew.
.venv/installed: pyproject.toml constraints.txt $(SOURCES)
	$(PYTHON) -m venv .venv
	$(INSTALL) ".[all,dev]"
	@$(BIN)/python -m compileall -q src  # now, since folders would be newer after the first import
	@touch $@

.venv/installed-bench: .venv/installed
	$(INSTALL) ".[bench]"
	@touch $@
