# Two commands matter: `make read` sets up and runs the main job, `make test` sets up and passes the tests.
PYTHON ?= python3
# Linux only: an extra package index that serves torch's CPU wheels, where the default one serves CUDA builds.
TORCH_INDEX ?=
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps
INDEX = $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
RUN = .venv/bin/python -m

.PHONY: read test check slow docs viewer clean

read: .venv/core
	.venv/bin/groundglass sample radiograph -o out/sample/radiograph.dcm
	.venv/bin/groundglass read out/sample/radiograph.dcm -o out/sample/report

test: .venv/dev check
	$(RUN) pytest -n 2 --dist worksteal

check: .venv/dev
	$(RUN) ruff check
	$(RUN) ruff format --check
	.venv/bin/lint-imports
	$(RUN) mypy

slow: .venv/dev
	$(RUN) pytest -m slow

docs: .venv/dev
	$(RUN) mkdocs build --strict

# The browser viewer is kept built, so that nobody needs Node to use it.
viewer:
	cd viewer && npm ci && npm run build

.venv/core: requirements.lock pyproject.toml
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) $(INDEX) -r requirements.lock
	$(PIP) --editable .
	@.venv/bin/python -m groundglass.app.installation
	@touch $@

.venv/dev: .venv/core requirements-dev.lock
	$(PIP) $(INDEX) -r requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv out site
