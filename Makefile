# make demo | make test | make proofs | make check: each works from nothing and leaves its environment in .venv or .venv-test.
PYTHON ?= python3
PIP = -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Where the surroundings forbid bytecode each of the many processes would compile all that it imports.
export PYTHONDONTWRITEBYTECODE =
# Two more than the two cores that are expected: some tests wait for processes, and do not compute.
WORKERS ?= 4
DEMO = .venv/bin
TEST = .venv-test/bin

.PHONY: demo shift loop opensearch site test proofs check names lint bench bench-steps bench-peers clean

demo: .venv/installed
	$(DEMO)/python docs/demo.py

# Two versions of a pipeline, the second by 5, 25, 50 and 100 % under load; then four that are worse. Pictures in build/.
shift: .venv/installed
	$(DEMO)/python docs/shift/walk.py
	$(DEMO)/python docs/shift/worse.py

# From drifting traffic to a version that is trained anew, then one that is refused. A picture in build/
loop: .venv/installed
	$(DEMO)/python docs/loop/walk.py

# A real OpenSearch with ML Commons, put together from Maven Central in build/; it wants Java 17, mvn and 1 GB.
opensearch:
	$(PYTHON) -m tests.search.assembling

# The documents and a reference from docstrings, in build/site.
site: .venv-site/installed
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/python -m mkdocs build --quiet

test: .venv-test/installed
	@# Once, and not by each worker at the same time.
	$(TEST)/python -m compileall -q -j 0 -x use_cases/templates mlops
	$(TEST)/python -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

# What is slow or foreign, each judge in an environment of its own below .venv-proofs; JUDGES="sdk kills" for some.
proofs: .venv-test/installed
	$(TEST)/python -m tests.proofs $(JUDGES)

# What `import mlops` gives, from what the modules of mlops.declare state in __all__.
names: .venv-test/installed
	$(TEST)/python -m tests.house.public_names

lint: .venv-test/installed
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .
	$(TEST)/mypy
	$(TEST)/lint-imports

check: test lint proofs

bench: .venv-test/installed
	$(TEST)/python benchmarks/start_up.py
	$(TEST)/python benchmarks/scaling.py
	$(TEST)/python benchmarks/check.py

# Minutes long, so not part of what every change must pass.
bench-steps: .venv-test/installed
	$(TEST)/python benchmarks/steps.py

bench-peers: .venv-test/installed
	$(TEST)/python benchmarks/start_up.py --peers
	$(TEST)/python benchmarks/steps.py --peers

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(DEMO)/python $(PIP) --editable '.[local]'
	touch $@

.venv-site/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/python $(PIP) --editable '.[docs]'
	touch $@

.venv-test/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv-test
	$(TEST)/python $(PIP) --no-compile --editable '.[sagemaker,local,serve,console,dev,contract,lsp,secrets,streams,datasets]'
	@# On all cores and once, not by each of the processes that are the first to import; some packages hold files for others.
	@$(TEST)/python -m compileall -qq -j 0 .venv-test/lib >/dev/null 2>&1 || true
	touch $@

clean:
	rm -rf .venv .venv-site .venv-test .venv-proofs .mlops build
