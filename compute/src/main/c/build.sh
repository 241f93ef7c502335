#!/bin/sh
# Compiles the interposer: build.sh <classes directory> [compiler]
# The environment variable CC goes before the argument; the target architecture is the compiler's.
set -eu

classes=$1
compiler=${CC:-${2:-cc}}
sources=$(cd "$(dirname "$0")" && pwd)

if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    echo "Coppice needs a C compiler for the part that runs inside Postgres, and \"$compiler\" is not there." >&2
    echo "Install one (Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev)" >&2
    echo "or set CC to the compiler to use." >&2
    exit 1
fi

# $compiler may carry options (CC="ccache gcc"), so it stays unquoted from here on.
machine=$($compiler -dumpmachine)
library=$classes/META-INF/native/linux-${machine%%-*}/libcoppice_interposer.so

if [ -f "$library" ] && [ -z "$(find "$sources" \( -name '*.c' -o -name '*.h' -o -name '*.sh' \) -newer "$library")" ]; then
    exit 0
fi

mkdir -p "$(dirname "$library")"
$compiler -std=gnu11 -O2 -g -fPIC -shared -Wall -Wextra -Werror -pthread \
    -o "$library.new" "$sources"/*.c -ldl
mv "$library.new" "$library"
