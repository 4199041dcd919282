# One word for each task. Whatever a task needs is installed into .venv first.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip install --quiet -c constraints.txt -e

# Nets as small as these gain nothing from a second thread, and waiting for it costs much on a busy
# machine. The tests run in two processes instead.
ONE_THREAD := OMP_NUM_THREADS=1
TEST := -m pytest -n 2

# What the compiled core is built from; a change of it installs anew. So does a Python file that comes,
# goes or moves, since an editable installation holds a list of them.
CORE := CMakeLists.txt $(wildcard native/*.* native/core/*)
FILES := $(shell find src -name '*.py' | LC_ALL=C sort | cksum | cut -d ' ' -f 1)
INSTALLED := .venv/installed-$(FILES)

# Environments of their own, without PyTorch: of the demo, and of the tests that need none.
DEMO := .venv-demo/installed-$(FILES)
WITHOUT_TORCH := .venv-without-torch/installed-$(FILES)
SANITIZE := -std=c++17 -O1 -g -march=native -ffp-contract=fast -Wall -Wextra -Wno-psabi -Inative \
    -fno-sanitize-recover=all -pthread

.PHONY: help demo test test-all test-without-torch sanitize wheel pure-wheel lint bench docs pictures clean

help:
	@echo "make demo      train on handwritten digits from 16 random starts"
	@echo "make test      the fast tests"
	@echo "make test-all  the fast tests, then the slow ones and the examples"
	@echo "make test-without-torch  the fast tests where PyTorch is not installed"
	@echo "make sanitize  the compiled core under AddressSanitizer, UBSan and ThreadSanitizer"
	@echo "make wheel     a wheel with all levels of the core; its tests on each level that runs here"
	@echo "make pure-wheel  a wheel without the core; a fit without threads, processes and PyTorch"
	@echo "make lint      style, types and who may import whom"
	@echo "make bench     speed of value and gradient and of whole searches; what combining starts gains; gradient checkers; diagnosis; estimators, their search, and many tables"
	@echo "make docs      write docs/command-line-reference.md from the program itself"
	@echo "make pictures  make docs/pictures, with Debian's chromium and chromium-driver"
	@echo "make clean     remove .venv and caches"

demo: $(DEMO)
	$(ONE_THREAD) .venv-demo/bin/symbreak train --quick --dataset digits --starts 16 --hidden 30 --activation tanh \
	    --seed 0 --model demo.symbreak --json demo.json

test: $(INSTALLED)
	$(ONE_THREAD) $(BIN)/python $(TEST) -m "not slow"

test-all: test
	$(ONE_THREAD) $(BIN)/python $(TEST) -m slow

test-without-torch: $(WITHOUT_TORCH)
	$(ONE_THREAD) .venv-without-torch/bin/python $(TEST) -m "not slow"

sanitize:
	mkdir -p build
	$(CXX) $(SANITIZE) -fsanitize=address,undefined native/driver.cpp -o build/driver-address
	build/driver-address
	$(CXX) $(SANITIZE) -fsanitize=thread native/driver.cpp -o build/driver-thread
	build/driver-thread

# A wheel lies in an environment of its own, beside which it sees the packages of .venv.
define install_wheel_of
	$(BIN)/python -m venv $1/venv
	$1/venv/bin/python -m pip install --quiet --no-deps $1/*.whl
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	    > "$$($1/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/beside.pth"
endef

wheel: $(INSTALLED)
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps -C cmake.define.SYMBREAK_ALL_LEVELS=ON -w build/wheel .
	$(call install_wheel_of,build/wheel)
	for level in $$(build/wheel/venv/bin/python native/levels.py); do \
	    SYMBREAK_NATIVE=$$level $(ONE_THREAD) build/wheel/venv/bin/python -m pytest -q tests/native \
	    || exit 1; done

pure-wheel: $(INSTALLED)
	rm -rf build/pure && mkdir -p build/pure
	SYMBREAK_PURE=1 $(BIN)/python -m pip wheel --quiet --no-deps -w build/pure .
	ls build/pure/*-py3-none-any.whl
	$(call install_wheel_of,build/pure)
	SYMBREAK_REQUIRE_NATIVE=0 build/pure/venv/bin/python -W error native/as_in_a_browser.py

lint: $(INSTALLED)
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
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/tables.py

docs: $(INSTALLED)
	$(BIN)/python docs/write_command_line_reference.py

pictures: $(INSTALLED)
	$(ONE_THREAD) $(BIN)/python docs/make_pictures.py

clean:
	rm -rf .venv .venv-demo .venv-without-torch build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# The stamp comes last, so an installation that was cut off is made anew.
$(INSTALLED): pyproject.toml constraints.txt $(CORE)
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) ".[all,dev]"
	@rm -f .venv/installed*
	@touch $@

.venv/installed-bench: $(INSTALLED)
	$(BIN)/python $(INSTALL) ".[bench]"
	@touch $@

$(DEMO): pyproject.toml constraints.txt $(CORE)
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/python $(INSTALL) ".[cli]"
	@rm -f .venv-demo/installed*
	@touch $@

$(WITHOUT_TORCH): pyproject.toml constraints.txt $(CORE)
	$(PYTHON) -m venv .venv-without-torch
	.venv-without-torch/bin/python $(INSTALL) ".[test]"
	@rm -f .venv-without-torch/installed*
	@touch $@
