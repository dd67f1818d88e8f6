#!/usr/bin/env bash
# Fuzz the C core: ci/fuzz.sh SECONDS|RUNSx [CORPUS-FOLDER], such as ci/fuzz.sh 20 or ci/fuzz.sh 5000000x
#
# Requires clang with libFuzzer, meson and ninja. New inputs are added to the corpus folder, by default a temporary
# one. An input that crashes is written to the current folder, and the run ends with an error.
set -euo pipefail

length=${1:?usage: ci/fuzz.sh SECONDS|RUNSx [CORPUS-FOLDER]}
case $length in
*x) limit=-runs=${length%x} ;;
*) limit=-max_total_time=$length ;;
esac
source_folder=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
corpus=${2:-$scratch/corpus}
python=${PYTHON:-python3}

CC=${CC:-clang} meson setup "$scratch/build" "$source_folder" -Dfuzz=enabled -Dbuildtype=debugoptimized >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; exit 3; }
ninja -C "$scratch/build" tests/c/fuzz_scan >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 3; }
"$python" "$source_folder/tests/binaries/make.py" "$scratch/seeds"
mkdir -p "$corpus"
"$scratch/build/tests/c/fuzz_scan" "$limit" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
  -print_final_stats=1 "$corpus" "$scratch/seeds" 2>&1 | tail -n 25
