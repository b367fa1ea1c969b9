#!/usr/bin/env bash
# CSV over loopback TCP to a trained model, test-then-train, the sender included: Penstock and PyTorch in turn, on the same rows.
# Prints a JSON line a run, then medians and their ratio. Both start up before the clock does: PyTorch imports, Penstock's device
# practises (SETTLE seconds, 4 unless set; with SETTLE=0 the sender comes at once, and the JIT compiler works in the timed part).
# usage: end_to_end.sh FILE.csv [ROUNDS [TIMES]]     rows as make_rows.py writes them, sent TIMES times over (10)
# PYTHON: an interpreter with torch and numpy; without one, Penstock runs alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
file=$1 rounds=${2:-5} times=${3:-10} python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=$(($(wc -l <"$file") - 1))
rows=$((rows * times))
fields=$(head -1 "$file" | tr -d '\r' | sed 's/,[^,]*$//; s/,/: number, /g')
label=$(head -1 "$file" | tr -d '\r' | sed 's/.*,//')

configuration() { # port model
  cat <<YAML
source: { tcp: { port: $1, endAfterConnections: 1, format: { csv: { header: true } } } }
schema: { label: { field: $label, type: class, classes: 7 }, fields: { $fields: number } }
features: [ standardize: { fields: number } ]
model: $2
optimizer: { adam: { learningRate: 0.001 } }
http: none
YAML
}

now() { date +%s.%N; }

# Both are timed alike: from the sender's connection to the end of the last step.
line() { # peer model seconds
  python3 - "$@" "$rows" <<'PY'
import json, sys
peer, model, seconds, rows = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
print(json.dumps({"peer": peer, "model": model, "rows": rows, "seconds": round(seconds, 3), "rowsPerSecond": round(rows / seconds)}))
PY
}

penstock() { # model yaml
  local port=$((20000 + RANDOM % 10000)) began
  configuration $port "$2" >"$work/run.yaml"
  "$here/../../penstock" train "$work/run.yaml" --report "$work/report.json" >"$work/out" 2>"$work/err" &
  local run=$!
  until grep -q "training from" "$work/err" 2>/dev/null; do sleep 0.05; done
  sleep "${SETTLE:-4}"
  began=$(now)
  python3 "$here/send.py" $port "$file" "$times"
  wait $run || { cat "$work/err" "$work/out" >&2; exit 1; }
  line penstock "$1" "$(python3 -c "import os,sys; print(os.path.getmtime('$work/report.json') - $began)")"
}

torch() { # model
  local port=$((20000 + RANDOM % 10000))
  $python "$here/rival_torch.py" $port --model "$1" >"$work/rival" &
  local run=$!
  sleep 6
  local began
  began=$(now)
  python3 "$here/send.py" $port "$file" "$times"
  wait $run
  line torch "$1" "$(python3 -c "import os; print(os.path.getmtime('$work/rival') - $began)")"
}

"$here/../../penstock" --version >&2
for ((round = 0; round < rounds; round++)); do
  for model in mlp softmax; do
    yaml=$model
    [ $model = mlp ] && yaml="{ mlp: { hidden: [64], activation: relu } }"
    penstock $model "$yaml"
    if $python -c 'import torch, numpy' 2>/dev/null; then torch $model; fi
  done
done | tee "$work/lines"

python3 - "$work/lines" <<'PY'
import json, statistics, sys
rates = {}
for text in open(sys.argv[1]):
    run = json.loads(text)
    rates.setdefault((run["model"], run["peer"]), []).append(run["rowsPerSecond"])
for model in ("mlp", "softmax"):
    medians = {peer: statistics.median(r) for (m, peer), r in rates.items() if m == model}
    ratio = f", {medians['penstock'] / medians['torch']:.1f} times torch" if "torch" in medians else ""
    print(f"{model}: " + ", ".join(f"{peer} {rate / 1e6:.2f} M rows/s" for peer, rate in medians.items()) + ratio)
PY
