#!/bin/sh
# Builds the interposer: build.sh <output .so> [extra compiler flags]. Called by Maven; CC chooses another compiler.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=$1
shift
cc=${CC:-cc}
command -v "$cc" >/dev/null 2>&1 || {
    echo "coppice: no C compiler \"$cc\": install gcc (Debian: apt-get install gcc libc6-dev, Fedora: dnf install gcc," \
        "Alpine: apk add gcc musl-dev) or set CC" >&2
    exit 1
}
mkdir -p "$(dirname "$output")"
exec "$cc" -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -Wshadow \
    -pthread "$@" -o "$output" "$here"/*.c -ldl
