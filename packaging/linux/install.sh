#!/bin/sh
# Put Singalike into the menu of this desktop, and its command `singalike` into ~/.local/bin.
# Nothing is copied: the folder stays where it is. `sh install.sh --remove` takes both out again.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
data="${XDG_DATA_HOME:-$HOME/.local/share}"
id="$(basename "$here"/share/applications/*.desktop .desktop)"
entry="$data/applications/$id.desktop"
command="$HOME/.local/bin/singalike"

refresh() { # what desktops remember of all entries, where there are such
    update-desktop-database -q "$data/applications" 2>/dev/null || true
}

if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$data/metainfo/$id.metainfo.xml"
    refresh
    find "$data/icons/hicolor" -name 'singalike.png' -path '*/apps/*' -delete 2>/dev/null || true
    [ "$(readlink "$command" 2>/dev/null)" = "$here/singalike" ] && rm -f "$command"
    echo "Singalike is out of the menu. To remove it altogether, delete $here"
    exit 0
fi

mkdir -p "$data/applications" "$data/metainfo" "$data/icons" "$HOME/.local/bin"
# In a desktop entry, a quoted path may hold spaces; these four characters take backslashes there,
# each of which takes another one.
quoted="$(printf '%s' "$here/Singalike" | sed 's/[\\"`$]/\\\\&/g')"
while IFS= read -r line; do
    case "$line" in
    Exec=*) printf 'Exec="%s" %%F\n' "$quoted" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$here/share/applications/$id.desktop" >"$entry"
cp -R "$here/share/icons/hicolor" "$data/icons/"
cp "$here/share/metainfo/$id.metainfo.xml" "$data/metainfo/"
ln -sf "$here/singalike" "$command"
refresh
echo "Singalike is in the menu, and \`singalike\` is in ~/.local/bin."
case ":$PATH:" in *":$HOME/.local/bin:"*) ;; *)
    echo "To use it in a terminal, add ~/.local/bin to PATH." ;;
esac
