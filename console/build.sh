#!/usr/bin/env bash
# Builds the console into target/dist: build.sh [--required | --if-possible]. It needs Node 20.19 or newer with npm, and npm's registry the first
# time; without them it says so and leaves a server that tells a browser the same (--required: it fails). What is built and newer
# than its sources is left alone, so that a build without a network goes on using it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

required=""
[ "${1:-}" != --required ] || required=yes
dist=target/dist
stamp=target/built

give_up() {
  echo "note: $1; the console is not built, everything else is" >&2
  [ -z "$required" ] || exit 1
  mkdir -p "$dist"
  exit 0
}

node_is_enough() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# Directories count too, so that a deleted source is noticed.
if [ -f "$dist/index.html" ] && [ -f "$stamp" ] &&
  [ -z "$(find src public index.html package.json package-lock.json vite.config.ts tsconfig.json -newer "$stamp" -print -quit)" ]; then
  exit 0
fi
command -v npm >/dev/null && node_is_enough || give_up "there is no Node 20.19 or newer with npm"
mkdir -p target
# Dated before the build, so that what is edited during it is built next time.
: >"$stamp.new"
if [ ! -f target/installed ] || [ package-lock.json -nt target/installed ] || [ ! -d node_modules ]; then
  npm ci --no-audit --no-fund --fetch-retries=1 >target/npm.log 2>&1 || give_up "npm could not install what the console is built with (console/target/npm.log)"
  : >target/installed
fi
# Beside the old one, which stays whole until the new one is.
rm -rf target/dist.new
if ! npx --no-install vite build --outDir target/dist.new --emptyOutDir >target/vite.log 2>&1; then
  cat target/vite.log >&2
  exit 1
fi
rm -rf "$dist"
mv target/dist.new "$dist"
mv "$stamp.new" "$stamp"
