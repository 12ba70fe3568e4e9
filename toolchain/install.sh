#!/usr/bin/env bash
# Installs one of the two environments from its lock file: `install.sh root` or `install.sh bot`.
# Run from the project's root, never from bot/ (see uv.sh).
set -euo pipefail

unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT UV_PYTHON
export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-300}
# Rasa alone imports thousands of files; where Python may not keep what it compiles
# (PYTHONDONTWRITEBYTECODE, a read-only image), it would compile them at every start.
export UV_COMPILE_BYTECODE=${UV_COMPILE_BYTECODE:-1}
# uv brings certificates of its own; behind a company's proxy only the machine's are right.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_NATIVE_TLS=${UV_NATIVE_TLS:-true}
fi

# Prints the first interpreter of the wanted versions that really runs: on PATH, then pyenv's.
# A pyenv shim may be there and fail, and a good one names the real program.
find_python() {
    local account_home version candidate
    account_home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || true
    for version in "$@"; do
        for candidate in "$(type -P "python$version" || true)" \
            {"${PYENV_ROOT:-$HOME/.pyenv}","$HOME/.pyenv","$account_home/.pyenv"}/versions/"$version".*/bin/"python$version"; do
            [ -x "$candidate" ] || continue
            "$candidate" -c "import sys, ctypes, ssl
assert sys.version_info[:2] == (${version/./, })
print(sys._base_executable)" 2>/dev/null && return
        done
    done
    # None here: uv downloads the first one wanted.
    echo "$1"
}

sync() {
    local attempt
    for attempt in 1 2 3; do
        "$uv" "$@" && return
        [ "$attempt" = 3 ] || { echo "installing failed, trying again" >&2; sleep $((attempt * 5)); }
    done
    return 1
}

uv=$(bash toolchain/uv.sh)
case $1 in
    root) sync sync --locked --python "$(find_python 3.11 3.12 3.13)" ;;
    bot) sync --directory bot sync --locked --python "$(find_python 3.10)" ;;
    *) echo "usage: toolchain/install.sh root|bot" >&2; exit 2 ;;
esac
