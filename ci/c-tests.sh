#!/bin/sh
# The C core under both compilers: warnings are errors, tests run under ASan and UBSan, then a short fuzz run where clang is there.
#     sh ci/c-tests.sh [SECONDS]       how long to fuzz (default 20)
# Needs meson and ninja on PATH (the development environment has them).
set -eu
cd "$(dirname "$0")/.."
builds=$(mktemp -d)
trap 'rm -rf "$builds"' EXIT INT TERM
seconds=${1:-20}

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        echo "c-tests: $compiler is not installed, so its warnings and sanitizers were not tried" >&2
        continue
    fi
    # clang leaves the sanitizers' symbols to the program that loads a library, which -Wl,--no-undefined refuses.
    CC=$compiler CXX=$([ "$compiler" = gcc ] && echo g++ || echo clang++) \
        meson setup "$builds/$compiler" -Dtests=enabled -Dwerror=true -Dbuildtype=debugoptimized -Db_ndebug=false \
        -Db_sanitize=address,undefined -Db_lundef=false >"$builds/$compiler.log" || { cat "$builds/$compiler.log"; exit 1; }
    meson test -C "$builds/$compiler" --suite c --print-errorlogs
done

if command -v clang >/dev/null; then
    bash ci/fuzz.sh "$seconds"
fi
