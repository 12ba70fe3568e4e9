#!/usr/bin/env bash
# Prints the absolute path of a uv that works; gets one into .tools where there is none.
# Run it from the project's root: a pyenv shim of uv answers differently inside bot/.
set -euo pipefail

VERSION=0.13.9
VERSION_MIN=0.9.0

# A pyenv shim may exist and still fail, so every candidate has to tell its version.
works() {
    local version
    version=$("$1" --version 2>/dev/null | awk '{print $2}') || return 1
    [ -n "$version" ] && [ "$(printf '%s\n' "$VERSION_MIN" "$version" | sort -V | head -n 1)" = "$VERSION_MIN" ]
}

own=$PWD/.tools/bin/uv
for candidate in "$own" "$(type -P uv || true)" "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv"; do
    if [ -x "$candidate" ] && works "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done

echo "uv is missing: getting uv $VERSION into .tools" >&2
if ! python3 -m venv --clear .tools >&2; then
    echo "Debian and Ubuntu keep venv in a package of its own: apt-get install python3-venv" >&2
    exit 1
fi
.tools/bin/python -m pip install --quiet --disable-pip-version-check --retries 5 --timeout 60 \
    "uv==$VERSION" >&2
echo "$own"
