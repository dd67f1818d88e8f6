#!/bin/sh
# Build the C core with gcc and clang, with warnings as errors, and run its tests under ASan and UBSan. Then fuzz
# it for a short time if clang is installed.
#     sh ci/c-tests.sh [SECONDS]       duration of fuzzing (default: 20)
# Requires meson and ninja on PATH. The development environment has both.
set -eu
cd "$(dirname "$0")/.."
builds=$(mktemp -d)
trap 'rm -rf "$builds"' EXIT INT TERM
seconds=${1:-20}

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        echo "c-tests: $compiler is not installed; skipping its warnings and sanitizers" >&2
        continue
    fi
    # With clang, the program that loads a library provides the symbols of the sanitizers, so the library has
    # undefined symbols, which b_lundef=false allows.
    CC=$compiler CXX=$([ "$compiler" = gcc ] && echo g++ || echo clang++) \
        meson setup "$builds/$compiler" -Dtests=enabled -Dwerror=true -Dbuildtype=debugoptimized -Db_ndebug=false \
        -Db_sanitize=address,undefined -Db_lundef=false >"$builds/$compiler.log" || { cat "$builds/$compiler.log"; exit 1; }
    meson test -C "$builds/$compiler" --suite c --print-errorlogs
done

if command -v clang >/dev/null; then
    bash ci/fuzz.sh "$seconds"
fi
