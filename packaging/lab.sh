# shellcheck shell=bash
# What the tests of packages have in common: base systems by mmdebstrap, from the mirror that this machine's apt uses. Sourced.
# Needs root and: apt-get install mmdebstrap; docker/test also podman buildah runc.

# Kept between runs: a base system takes a minute or two.
lab_cache=${COPPICE_LAB:-/var/tmp/coppice-lab}

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Prints a line, and counts; lab_done says the sum.
lab_checks=0
ok() {
  lab_checks=$((lab_checks + 1))
  say "ok $lab_checks - $*"
}
lab_done() { say "$lab_checks passed, 0 failed"; }

lab_require() {
  local program
  [ "$(id -u)" -eq 0 ] || die "root is needed, for chroots"
  for program in "$@"; do
    command -v "$program" >/dev/null || die "$program is missing: apt-get install mmdebstrap podman buildah runc postgresql-client"
  done
  mkdir -p "$lab_cache"
}

# The mirror of Debian itself that this machine uses.
lab_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n -e 's|^URIs: *\([^ ]*/debian\)/* *$|\1|p' -e 's|^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*/debian\)/* .*|\2|p' | head -n 1
}

# Makes $lab_cache/SUITE.tar, a minimal Debian, unless it is there. $1 = suite.
lab_base() {
  local tar=$lab_cache/$1.tar
  [ -f "$tar" ] || {
    say "making a base system of $1"
    mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --include=ca-certificates "$1" "$tar.new" "$(lab_mirror)" \
      >"$lab_cache/$1.log" 2>&1 || die "mmdebstrap failed; see $lab_cache/$1.log"
    mv "$tar.new" "$tar"
  }
}

# Unpacks the base system of suite $1 into the directory $2, with /proc, /sys, /dev and /dev/shm as a machine has them.
lab_chroot() {
  lab_base "$1"
  mkdir -p "$2"
  # Its device nodes cannot be made everywhere; those of this machine are bound in.
  tar --extract --file "$lab_cache/$1.tar" --directory "$2" --exclude './dev/*'
  mount -t proc proc "$2/proc"
  mount --rbind /sys "$2/sys"
  mount --make-rslave "$2/sys"
  mount --rbind /dev "$2/dev"
  mount --make-rslave "$2/dev"
  cp /etc/resolv.conf /etc/hosts "$2/etc/"
}

# Ends what still runs in it, and takes it away.
lab_remove_chroot() {
  local at process
  for process in /proc/[0-9]*; do
    case $(readlink "$process/root" 2>/dev/null || true) in
      "$1" | "$1 (deleted)" | "$1//deleted") kill -KILL "${process#/proc/}" 2>/dev/null || true ;;
    esac
  done
  for at in dev sys proc; do
    if mountpoint -q "$1/$at"; then umount -R -l "$1/$at"; fi
  done
  rm -rf --one-file-system "$1"
}

# Waits until a command succeeds: $1 = seconds at most, the rest is the command.
lab_await() {
  local seconds=$1 i
  shift
  for ((i = 0; i < seconds * 5; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  return 1
}
