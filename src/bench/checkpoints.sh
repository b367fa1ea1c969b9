#!/usr/bin/env bash
# What checkpoints cost: the same run with and without them in turn, rows a second of each, and the ratio of the medians.
# usage: checkpoints.sh small|large [ROUNDS]     small: 1 MB of parameters, one a second; large: 100 MB, one every 30 s
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1:?small or large} in
  small) hidden='[500, 500]' every=1s rows=900000 batch=256 ;;
  large) hidden='[5000, 5000]' every=30s rows=60000 batch=256 ;;
  *) sed -n 2,3p "$0" >&2; exit 2 ;;
esac
rounds=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/run.yaml" <<YAML
source: { generator: { stream: agrawal, records: $rows, seed: 5, noise: 5% } }
features: [ standardize: { fields: number } ]
batch: { size: $batch, maxDelay: none }
model: { mlp: { hidden: $hidden } }
checkpoint: { directory: $work/state, every: $every }
device: cpu
http: none
YAML
run() { # name options
  local name=$1
  shift
  "$here/../../penstock" train "$work/run.yaml" --fresh --report "$work/report.json" "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
  rm -rf "$work/state"
  python3 - "$name" "$work/report.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[2]))
c = r.get("checkpoint", {})
print(json.dumps({"run": sys.argv[1], "rowsPerSecond": round(r["recordsPerSecond"]), "seconds": round(r["seconds"], 1),
                  "checkpoints": c.get("written", 0), "bytes": c.get("bytes", 0), "pauseMillis": round(c.get("pauseMillis") or 0, 2)}))
PY
}
for ((i = 0; i < rounds; i++)); do
  run with
  run without --set checkpoint=none
done | tee "$work/lines"
python3 - "$work/lines" <<'PY'
import json, statistics, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
median = {name: statistics.median(l["rowsPerSecond"] for l in lines if l["run"] == name) for name in ("with", "without")}
print(json.dumps({"with": median["with"], "without": median["without"], "ratio": round(median["with"] / median["without"], 4)}))
PY
