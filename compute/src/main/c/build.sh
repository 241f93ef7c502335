#!/bin/sh
# Builds the interposer, and the sandbox's launcher beside it: build.sh <output .so> [extra compiler flags]. Called by Maven; CC chooses another compiler.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=$1
shift
cc=${CC:-cc}
command -v "$cc" >/dev/null 2>&1 || {
    echo "coppice: no C compiler \"$cc\": install gcc (Debian: apt-get install gcc libc6-dev, Fedora: dnf install gcc," \
        "Alpine: apk add gcc musl-dev linux-headers) or set CC" >&2
    exit 1
}
mkdir -p "$(dirname "$output")"
"$cc" -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -Wshadow \
    -pthread "$@" -o "$output" "$here"/*.c -ldl
# Static where the C library has what that needs: it then starts without a search for libraries.
cage="$(dirname "$output")/coppice-cage"
build_cage() {
    "$cc" -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow "$@" -o "$cage" "$here"/cage/*.c
}
build_cage -static "$@" 2>/dev/null || build_cage "$@"
