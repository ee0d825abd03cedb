#!/bin/sh
# Ask PyPI's advisory service about every package that is installed in .venv. Needs the network.
# It fails as well where the service knows nothing of a package, or cannot be reached.
# pip-audit lives in a place of its own: what looks is no part of what is looked at.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
python3 -m venv build/audit-venv
build/audit-venv/bin/python -m pip install --quiet "pip-audit==2.9.0"
# A local version (torch's +cpu) has the weaknesses of the version that it is made from.
.venv/bin/python -m pip freeze --exclude-editable | sed -e 's/+[a-z0-9.]*$//' -e '/ @ /d' \
    >build/audit.txt
echo "$(wc -l <build/audit.txt) packages, asked about on $(date -u +%Y-%m-%d)"
build/audit-venv/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off \
    --requirement build/audit.txt
