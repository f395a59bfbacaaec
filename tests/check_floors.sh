#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The house rules a compiler cannot see: includes climb no floor, lua.h, rdkafka.h, curl.h,
# microhttpd.h, gnutls and pcre2.h stay in their rooms, functions that cannot be used safely are not used,
# abi.h holds nothing that ffi.cdef cannot read. Prints file:line for each breach.
#
#   tests/check_floors.sh [ROOT]        checks ROOT/src and ROOT/include; 1 = breaches
#   tests/check_floors.sh --self-test   proves that each rule can fail
set -u

# Comments and string contents blanked, lines kept: the rules are about code.
strip() {
  awk '{
    line = $0; out = ""
    if (line ~ /^[ \t]*#[ \t]*include/) {
      sub(/\/[\/*].*/, "", line); print line; next
    }
    while (length(line) > 0) {
      if (comment) {
        end = index(line, "*/")
        if (end == 0) { line = ""; break }
        line = substr(line, end + 2); comment = 0; out = out " "; continue
      }
      two = substr(line, 1, 2); one = substr(line, 1, 1)
      if (two == "/*") { comment = 1; line = substr(line, 3); continue }
      if (two == "//") break
      if (one == "\"" || one == "\047") {
        rest = substr(line, 2)
        while (length(rest) > 0 && substr(rest, 1, 1) != one)
          rest = substr(rest, substr(rest, 1, 1) == "\\" ? 3 : 2)
        out = out one one; line = substr(rest, 2); continue
      }
      out = out one; line = substr(line, 2)
    }
    print out
  }' "$1"
}

# What a floor may include of the others (design: one floor only looks down).
allowed() {
  case $1 in
    base) echo base ;;
    record) echo record base ;;
    net | kafka | vm) echo "$1" record base ;;
    store) echo store kafka record base ;;
    task) echo task store vm kafka net record base ;;
    worker) echo worker task store vm kafka net record base ;;
    rest) echo rest worker base ;;
    *) echo base record net kafka vm store task worker rest cli ;; # main.c, cli/
  esac
}

# Which floor alone may include a library's header.
home_of() {
  case $1 in
    lua.h | lauxlib.h | lualib.h | luajit.h) echo vm ;;
    librdkafka/* | rdkafka.h | rdkafka_mock.h) echo kafka ;;
    curl/* | curl.h) echo net ;;
    microhttpd.h | gnutls/*) echo rest ;;
    pcre2.h) echo base ;;
  esac
}

breach() {
  echo "$1: $2"
  breaches=$((breaches + 1))
}

check_includes() { # path floor
  local path=$1 floor=$2 line text header top home
  while IFS=: read -r line text; do
    header=$(sed -E 's/.*include[ \t]*["<]([^">]*)[">].*/\1/' <<<"$text")
    home=$(home_of "$header")
    if [ -n "$home" ] && [ "$home" != "$floor" ]; then
      breach "$path:$line" "$header may be included in src/$home only"
      continue
    fi
    top=${header%%/*}
    case " base record net kafka vm store task worker rest cli " in *" $top "*) ;; *) continue ;; esac
    [ "$top" = "$header" ] && continue
    case " $(allowed "$floor") " in
      *" $top "*) ;;
      *) breach "$path:$line" "$floor must not include $header: that floor is not below it" ;;
    esac
  done < <(strip "$path" | grep -nE '^[ \t]*#[ \t]*include')
}

check_words() { # path relative
  local path=$1 file=$2 line rest
  while IFS=: read -r line rest; do
    breach "$path:$line" "banned function: $(grep -oE "$banned" <<<"$rest" | head -n 1)"
  done < <(strip "$path" | grep -nE "$banned")
  case $file in
    src/main.c | src/cli/* | src/base/err.c) return ;;
  esac
  while IFS=: read -r line rest; do
    breach "$path:$line" "exit and abort belong to main.c and CL_REQUIRE"
  done < <(strip "$path" | grep -nE '(^|[^_[:alnum:]])(exit|_exit|quick_exit|abort)[ ]*\(')
}

check_abi() { # path
  local line rest
  while IFS=: read -r line rest; do
    breach "$1:$line" "abi.h is read by ffi.cdef: no preprocessor line but #pragma once"
  done < <(strip "$1" | grep -nE '^[ \t]*#' | grep -vE '^[0-9]+:#pragma once$')
}

check_tree() {
  local root=$1 path file floor
  while IFS= read -r path; do
    file=${path#"$root"/}
    floor=${file#src/}
    case $file in include/*) floor=base ;; *) floor=${floor%%/*} ;; esac
    check_includes "$path" "$floor"
    check_words "$path" "$file"
    [ "$file" = include/connect_lua/abi.h ] && check_abi "$path"
  done < <(find "$root/src" "$root/include" -name '*.[ch]' | sort)
}

banned='(^|[^_[:alnum:]])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|system|gets|assert)[ ]*\('
breaches=0

self_test() {
  local case file text failed=0
  dir=$(mktemp -d) # global: the trap runs after this function
  trap 'rm -rf "$dir"' EXIT
  while IFS='|' read -r file text; do
    rm -rf "$dir/src" "$dir/include"
    mkdir -p "$dir/include" "$dir/$(dirname "$file")" "$dir/src"
    printf '/* fine: sprintf( in a comment */\nstatic const char *s = "system(1) \\" atoi(2)";\n%s\n' "$text" >"$dir/$file"
    case=$("$0" "$dir")
    if ! grep -q "^$dir/$file:3: " <<<"$case"; then
      echo "not refused: $file: $text"
      failed=1
    elif [ "$(grep -c "^$dir/" <<<"$case")" != 1 ]; then
      echo "refused more than the one line: $case"
      failed=1
    fi
  done <<'CASES'
src/base/a.c|#include "record/batch.h"
src/record/a.h|# include "vm/vm.h"
src/kafka/a.c|#include "vm/vm.h" /* same height */
src/store/a.c|#include "vm/vm.h"
src/task/a.c|#include "worker/herder.h"
src/rest/a.c|#include "task/task.h"
src/task/a.c|#include <lua.h>
src/worker/a.c|#include <librdkafka/rdkafka.h>
src/vm/a.c|#include <curl/curl.h>
src/worker/a.c|#include <microhttpd.h>
src/kafka/a.c|#include <pcre2.h>
src/base/a.c|  strcpy(a, b);
src/base/a.c|  return sprintf (a, b);
src/base/a.c|  x = atoi(y);
src/base/a.c|  assert(x);
src/base/a.c|  if (!system(x)) return;
src/vm/a.c|  exit(1);
src/vm/a.c|/* a */ abort(); // b
include/connect_lua/abi.h|#include <stdint.h>
include/connect_lua/abi.h|#define X 1
CASES
  rm -rf "$dir/src" "$dir/include"
  mkdir -p "$dir/src/vm" "$dir/src/cli" "$dir/include"
  printf '%s\n' '#include <lua.h>' '#include "base/err.h"' '  snprintf(a, 1, b); _Static_assert(1, "");' \
    '  cl_assert(x); /* assert(' 'exit(1) */' >"$dir/src/vm/a.c"
  printf '%s\n' '#include "rest/server.h"' '  exit(1);' >"$dir/src/cli/a.c"
  if ! case=$("$0" "$dir"); then
    echo "refused without reason: $case"
    failed=1
  fi
  [ $failed = 0 ] && echo "check_floors: every rule can fail"
  return $failed
}

if [ "${1:-}" = --self-test ]; then
  self_test
  exit
fi
check_tree "$(cd "${1:-$(dirname "$0")/..}" && pwd)"
[ $breaches = 0 ] || { echo "$breaches breach(es) of the house rules"; exit 1; }
