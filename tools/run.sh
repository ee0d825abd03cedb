#!/bin/sh
# The main job: index a folder of music, show what one song's neighbours are, open the window.
# MUSIC names the folder; without it a small demo library is made.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

if [ -n "${MUSIC:-}" ]; then
    set --
else
    MUSIC="$PWD/demo-library"
    set -- --library "$MUSIC/singalike.db"
    singalike demo "$MUSIC"
fi

# 3: some files could not be read; they have been listed, and the rest is there to be searched.
singalike index "$MUSIC" "$@" || [ $? = 3 ]

echo
singalike similar --by vocals -k 5 "$@"
echo
singalike similar --by overall -k 5 "$@"

if [ "$(uname -s)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    singalike-app "$@"
else
    echo
    echo "There is no display here; with one, the window would open now."
    echo "Next: .venv/bin/singalike similar SONG${*:+ $*}"
fi
