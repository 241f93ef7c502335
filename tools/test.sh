# shellcheck shell=bash
# Runs the tests: part of ./coppice test, whose say, die and require_build_tools it needs.

# All of Maven's own test summaries (one per module) added up, in Surefire's words.
totals() {
  awk '
    / Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$/ {
      sub(/.*Tests run: /, "")
      split($0, n, /[^0-9]+/)
      for (i = 1; i <= 4; i++) sum[i] += n[i]
    }
    END { printf "Tests run: %d, Failures: %d, Errors: %d, Skipped: %d\n", sum[1], sum[2], sum[3], sum[4] }
  ' "$1"
}

# Whether tests cannot keep their files in this checkout: below a directory that the unprivileged user of Postgres may not
# enter (as root), or so deep that the path of a Unix socket would exceed its 107 bytes.
needs_other_test_directory() {
  [ ${#home} -gt 4 ] && return 0
  [ "$(id -u)" -eq 0 ] || return 1
  local at=$home mode
  while [ "$at" != / ]; do
    mode=$(stat -c %a "$at")
    case $mode in *[1357]) ;; *) return 0 ;; esac
    at=$(dirname "$at")
  done
  return 1
}

# $1 = --quick or --long, or nothing; all else goes to Maven.
run_tests() {
  require_build_tools
  command -v psql >/dev/null || say "note: psql is not installed; the tests that need it are skipped (Debian: postgresql-client)"
  mkdir -p "$home/target"
  local test_log=$home/target/test.log status=0 elsewhere="" options=() phase=verify
  case ${1:-} in
    --quick)
      shift
      phase=test
      # No integration tests, and no fuzzing.
      options+=("-Dtest.integration=**/None.java" -Dtest.fuzz.skip=true)
      ;;
    --long)
      shift
      options+=(-Dtest.groups=long -Dtest.excluded=none -Dtest.fuzz.skip=true)
      ;;
  esac
  if needs_other_test_directory; then
    elsewhere=$(mktemp -d /tmp/cXXXXXX)
    chmod 755 "$elsewhere"
    options+=("-Dtest.directory=$elsewhere")
  fi
  (cd "$home" && mvn -B -ntp --fail-at-end ${options[@]+"${options[@]}"} "$phase" "$@" 2>&1 | tee "$test_log") || status=$?
  [ -z "$elsewhere" ] || rm -rf "$elsewhere"
  printf '\n%s\n' "$([ "$status" -eq 0 ] && echo 'All modules passed.' || echo "Something failed; the whole log: $test_log")"
  totals "$test_log"
  return "$status"
}
