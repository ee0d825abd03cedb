#!/bin/sh
# Make the application: dist/Singalike (a folder), its archive and a list of its files; then test it.
# Everything is built in build/bundle-venv, which holds nothing that the application does not need.
# On Windows, run this in Git's shell. FRESH=1 begins with a new environment.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

venv=build/bundle-venv
[ "${FRESH:-}" = 1 ] && rm -rf "$venv"
python=""
for candidate in "${PYTHON:-python3.11}" python3.12 python3.13 python3 python; do
    if command -v "$candidate" >/dev/null &&
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
    then
        python="$candidate"
        break
    fi
done
[ -n "$python" ] || { say "Python 3.11, 3.12 or 3.13 is needed. Install one, then try again."; exit 1; }

torch_hint="set PIP_EXTRA_INDEX_URL to the index of CPU builds that
pytorch.org names under \"Get started\", and run FRESH=1 $0"
stamp="$(cat pyproject.toml constraints.txt packaging/locked/* tools/bundle.sh \
    tools/trim_torchaudio.py | cksum)"
if [ "$(cat "$venv/bundle-stamp" 2>/dev/null)" != "$stamp" ]; then
    say "Installing what the application needs into $venv"
    [ -d "$venv" ] || "$python" -m venv "$venv"
    bin="$venv/bin"; [ -d "$bin" ] || bin="$venv/Scripts"
    # hnswlib would be built for this very processor, and end others' programs. The number that
    # Linux's linker gives it depends on the folder that it was built in.
    [ "$(uname)" != Linux ] || export LDFLAGS="${LDFLAGS:-} -Wl,--build-id=none"
    locked="$("$bin/python" -m tools.lock --path)"
    if [ -n "$locked" ]; then
        set -- --require-hashes --requirement "$locked"
    else
        say "No list of hashes for this system yet (tools/lock.py): versions are pinned, files are not."
        set -- --constraint constraints.txt ".[package]"
    fi
    HNSWLIB_NO_NATIVE=1 "$bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-cache-dir --no-binary hnswlib "$@" || {
        say "Not installed. If it is torch that was not found: $torch_hint"
        exit 1
    }
    # The program itself comes from here: a bundle wants no second copy.
    [ -n "$locked" ] || "$bin/python" -m pip uninstall --quiet --yes singalike
    "$bin/python" tools/trim_torchaudio.py
    printf '%s' "$stamp" >"$venv/bundle-stamp"
fi
bin="$venv/bin"; [ -d "$bin" ] || bin="$venv/Scripts"

"$bin/python" -c 'import sys, torch; sys.exit(torch.version.cuda is not None)' || {
    say "This torch is made for CUDA: 2.5 GB that most people cannot use; $torch_hint"
    exit 1
}

# The same commit gives the same files.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 1600000000)"
PYTHONHASHSEED=1
export SOURCE_DATE_EPOCH PYTHONHASHSEED
rm -rf dist/Singalike dist/Singalike.app build/icons
"$bin/python" packaging/make_icons.py build/icons
say "Building (some minutes)"
"$bin/python" -m PyInstaller --noconfirm --log-level WARN --workpath build --distpath dist build.spec
"$bin/python" -m tools.pack_bundle dist
[ "${CHECK:-1}" = 0 ] || "$bin/python" -m tools.check_bundle dist
