#!/bin/sh
# Make .venv with everything that Singalike needs; install missing system packages.
# A second call finds nothing to do and returns at once.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# Playback (PortAudio), the window (Qt's libraries), and a compiler, since hnswlib comes as source.
DEBIAN_PACKAGES="python3-venv python3-dev g++ libportaudio2 libegl1 libgl1 libfontconfig1
 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0
 libxcb-shape0 libdbus-1-3"
# The tests play through a real sound server, and the window test has a real X server.
TEST_PACKAGES="pulseaudio libasound2-plugins xvfb"

install_debian() {
    wanted="$DEBIAN_PACKAGES"
    [ "${SINGALIKE_TEST_SETUP:-}" = 1 ] && wanted="$wanted $TEST_PACKAGES"
    missing=""
    for package in $wanted; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        say "Installing system packages:$missing"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing; } >/dev/null
    else
        say "Some system packages are missing. Install them with this command, then try again:"
        say "    sudo apt-get install$missing"
        exit 1
    fi
}

install_macos() {
    command -v brew >/dev/null ||
        { say "Homebrew is missing. Install it from https://brew.sh, then try again."; exit 1; }
    brew list portaudio >/dev/null 2>&1 || brew install --quiet portaudio
    newest_python >/dev/null || brew install --quiet python@3.12
}

newest_python() {
    for candidate in python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
        then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

case "$(uname -s)" in
Darwin) install_macos ;;
*) if command -v apt-get >/dev/null; then install_debian; else
    say "This is neither Debian nor Ubuntu: install what these packages hold under your system's names:"
    say "   " $DEBIAN_PACKAGES
fi ;;
esac

stamp="$(cat pyproject.toml constraints.txt tools/setup.sh tools/trim_torchaudio.py | cksum)"
[ "$(cat .venv/setup-stamp 2>/dev/null)" = "$stamp" ] && exit 0

python="$(newest_python)" ||
    { say "Python 3.11, 3.12 or 3.13 is needed. Install one of them, then try again."; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
say "Installing Singalike into .venv (some minutes the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --editable '.[catalogue,dev,mert]' --constraint constraints.txt
.venv/bin/python tools/trim_torchaudio.py
printf '%s' "$stamp" >.venv/setup-stamp
