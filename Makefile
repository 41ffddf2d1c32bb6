# SPDX-License-Identifier: Apache-2.0
#
# `make help` says what there is.
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export IDF_PATH := $(CURDIR)
export AIRLIFT_CACHE ?= $(HOME)/.cache/airlift
BOARD ?= linux
PYTHON = $(AIRLIFT_CACHE)/venv/bin/python

# SAN=1: everything with AddressSanitizer (and its leak check) and UndefinedBehaviorSanitizer.
ifeq ($(SAN),1)
export AIRLIFT_SAN := 1
export UBSAN_OPTIONS ?= print_stacktrace=1
VARIANT := -san
else
unexport AIRLIFT_SAN
VARIANT :=
endif
HOST := build/host$(VARIANT)
UNIT := build/unit$(VARIANT)$(BOARD:%=-%)
UNIT := $(UNIT:%-linux=%)
export AIRLIFT_TOOL := $(CURDIR)/$(HOST)/airlift

# Purposes of setup that a board adds.
SETUP_BOARD := $(filter-out linux,$(BOARD))

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: SAN=1 (sanitizers), BOARD=linux|sifive_u, SETUP=test (setup), T=... (pytest arguments)"

setup: ## install what building and running needs (SETUP=test: and the test tools)
	@tools/setup/setup.sh

setup-demo:
	@tools/setup/setup.sh demo $(SETUP_BOARD)

setup-test:
	@tools/setup/setup.sh demo test $(SETUP_BOARD)

# The host program itself; what it needs must be there.
host:
	@[ -f $(HOST)/build.ninja ] || { log=$$(mktemp); \
	    cmake -G Ninja -S . -B $(HOST) $(if $(SAN),-DAIRLIFT_SAN=ON) > $$log 2>&1 || { cat $$log; exit 1; }; \
	    rm $$log; }
	@ninja -C $(HOST) --quiet airlift

tool: setup-demo host ## build the host program, build/host/airlift

demo: setup-demo host ## a device boots, updates itself over HTTPS twice, and goes back to factory
	@$(PYTHON) tools/demo/demo.py $(if $(SETUP_BOARD),--board $(BOARD))

# An emulated board leaves out what takes it minutes, unless AIRLIFT_SLOW is set.
UNIT_SELECTION := $(if $(AIRLIFT_SLOW),,$(if $(SETUP_BOARD),-LE slow_emulated))

unit: ## unit tests of formats, boards, bootloader and components
	@[ -f $(UNIT)/build.ninja ] || \
	    cmake --log-level=NOTICE -G Ninja -DIDF_TARGET=$(BOARD) -S tests/unit -B $(UNIT)
	@ninja -C $(UNIT) --quiet
	@ctest --test-dir $(UNIT) --output-on-failure -j2 $(UNIT_SELECTION)

# Folders of end-to-end tests; a board's own ones run when that board is tested.
PYTEST_FOLDERS := $(filter-out tests/board_%,$(sort $(patsubst %/,%,$(dir $(wildcard tests/*/test_*.py)))))
ifeq ($(SAN),1)
# The build system is no C program.
PYTEST_FOLDERS := $(filter-out tests/build_system,$(PYTEST_FOLDERS))
endif
ifneq ($(BOARD),linux)
# What takes the board as a parameter, and the board's own.
PYTEST_FOLDERS := tests/e2e tests/board/test_boot.py $(wildcard tests/board_$(BOARD:sifive_u=sifive))
endif

# One run for each folder, as each has a conftest of its own; two folders at a time, because tests
# mostly wait. What takes longest comes first.
JOBS ?= 2
e2e: host ## end-to-end tests (T='-k name' picks some)
	@printf '%s\n' $(sort $(filter %/e2e,$(PYTEST_FOLDERS))) $(filter-out %/e2e,$(PYTEST_FOLDERS)) | \
	    AIRLIFT_TEST_BOARDS="$(BOARD)" xargs -P$(JOBS) -I{} tests/run_folder.sh $(PYTHON) {} $(T)

test: setup-test host unit e2e ## the everyday test suite

powercut: setup-test host ## cut the power at every flash operation of every scenario
	@$(PYTHON) tests/powercut/sweep.py $(T)

# Sequences of each configuration, and the first seed.
MODEL_SEQUENCES ?= 210000
MODEL_SEED ?= $(shell date +%s)
MODEL_TESTS := test_ota_model test_ota_model_rollback test_ota_model_anti_rollback \
    test_ota_model_attempts test_ota_model_strict
model: setup-test ## a million random lives with power cuts against the model of otadata and slots
	@[ -f $(UNIT)/build.ninja ] || cmake --log-level=NOTICE -G Ninja -S tests/unit -B $(UNIT)
	@ninja -C $(UNIT) --quiet $(MODEL_TESTS)
	@printf '%s\n' $(MODEL_TESTS) | xargs -P2 -I{} env $(UNIT)/test/model/{} \
	    --sequences $(MODEL_SEQUENCES) --seed $(MODEL_SEED)

bench: setup-test host ## measure against peers
	@for bench in bench/*/bench.py; do echo "== $$bench"; $(PYTHON) $$bench; done

footprint: host ## measure flash, RAM and times on sifive_u into docs/footprint.md
	@tools/setup/setup.sh demo test sifive_u
	@$(PYTHON) bench/footprint/footprint.py

FUZZ_SECONDS ?= 60
FUZZ_FLASH := build/fuzz-flash
fuzz: setup-test ## feed each decoder, and boards with whole flash chips, random input for FUZZ_SECONDS (60) each
	@[ -f build/fuzz/build.ninja ] || cmake --log-level=WARNING -G Ninja -S formats/fuzz -B build/fuzz \
	    -DCMAKE_C_COMPILER=clang -DAIRLIFT_MBEDTLS=$$(cmake -P tools/cmake/print_source_dir.cmake mbedtls 2>&1)
	@ninja -C build/fuzz --quiet
	@[ -f $(FUZZ_FLASH)/build.ninja ] || cmake --log-level=WARNING -G Ninja -S tests/unit -B $(FUZZ_FLASH) \
	    -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link -DAIRLIFT_SAN=1 -DAIRLIFT_FUZZ=ON
	@ninja -C $(FUZZ_FLASH) --quiet fuzz_flash fuzz_flash_rollback fuzz_flash_anti_rollback
	@for target in build/fuzz/fuzz_* $(FUZZ_FLASH)/fuzz/fuzz_*; do \
	    [ -x $$target ] && [ -f $$target ] || continue; name=$${target##*/fuzz_}; \
	    seeds=formats/fuzz/corpus/$$name; [ -d $$seeds ] || seeds=tests/fuzz/corpus; \
	    mkdir -p build/fuzz/corpus/$$name; echo "== $$name"; \
	    $$target -max_total_time=$(FUZZ_SECONDS) -timeout=20 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$name $$seeds 2>&1 | grep -vE '^#|^INFO' ; \
	done

C_SOURCES = $(shell git ls-files '*.c' '*.h')
CLANG_FORMAT = $(AIRLIFT_CACHE)/venv/bin/clang-format

# The bare board's sources, where its compiler is installed.
CROSS := $(shell command -v riscv64-unknown-elf-gcc)

lint: setup-test ## cppcheck, formatting, shell scripts
	@[ -f $(UNIT)/compile_commands.json ] || cmake --log-level=NOTICE -G Ninja -S tests/unit -B $(UNIT)
	@[ -f $(HOST)/compile_commands.json ] || $(MAKE) host
	@[ -z "$(CROSS)" ] || [ -f build/unit-sifive_u/compile_commands.json ] || cmake --log-level=NOTICE \
	    -G Ninja -DIDF_TARGET=sifive_u -S tests/unit -B build/unit-sifive_u
	@tools/lint.sh $(UNIT) $(HOST) $(if $(CROSS),'build/unit-sifive_u:sifive_u|rv32')
	@$(CLANG_FORMAT) --dry-run -Werror $(C_SOURCES)
	@echo "lint: clean"

format: setup-test ## format the C sources
	@$(CLANG_FORMAT) -i $(C_SOURCES)

clean: ## remove build folders
	rm -rf build

.PHONY: help setup setup-demo setup-test host tool demo unit e2e test powercut model bench footprint fuzz lint format clean
