#!/usr/bin/env bash
# Times the start of an unpacked archive with and without its AOT cache, in turns: startup.sh FOLDER [ROUNDS].
# version: penstock --version. row: train until one row is trained on, from the process's start to its end.
# Prints medians of wall and CPU time, in milliseconds.
set -euo pipefail
folder=$1 rounds=${2:-15}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/row.yaml" <<'YAML'
source: { generator: { stream: agrawal } }
features: [ standardize: { fields: number } ]
batch: { size: 1 }
model: { mlp: { hidden: [32] } }
http: { port: 0 }
YAML
cd "$work"
once() { # name, option, arguments
  local name=$1 option=$2
  shift 2
  TIMEFORMAT='%R %U %S'
  { time PENSTOCK_OPTS=$option "$folder/bin/penstock" "$@" >/dev/null 2>&1; } 2>"$work/time"
  awk -v name="$name" '{ printf "%s %.0f %.0f\n", name, $1 * 1000, ($2 + $3) * 1000 }' "$work/time" >>"$work/times"
}
for _ in $(seq "$rounds"); do
  # The later of two such options counts, so without the cache means: off.
  for cache in on off; do
    option=-XX:AOTMode=$cache
    once "version $cache" "$option" --version
    once "row $cache" "$option" train row.yaml --max-records 1
  done
done
median() { # name, column
  grep "^$1 " "$work/times" | cut -d' ' -f"$2" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
for name in "version on" "version off" "row on" "row off"; do
  echo "$name: wall $(median "$name" 3) ms, CPU $(median "$name" 4) ms, medians of $rounds"
done
