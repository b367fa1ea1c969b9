#!/usr/bin/env bash
# What predictions cost: requests at a fixed rate against a run at full speed; phases with and without them take turns.
# usage: predictions.sh [RATE] [SECONDS] [ROUNDS]     2000 requests a second, 10 s a phase, 5 rounds unless given
# RUN: a configuration that trains without end, with http.port 0; BODY: a request for it. Unless given, the generator's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rate=${1:-2000} seconds=${2:-10} rounds=${3:-5}
work=$(mktemp -d)
cat >"$work/run.yaml" <<YAML
source: { generator: { stream: agrawal, seed: 5, noise: 5% } }
features: [ standardize: { fields: number } ]
batch: { size: 256, maxDelay: none }
model: { mlp: { hidden: [64] } }
optimizer: { adam: { learningRate: 0.003 } }
device: cpu
http: { port: 0 }
YAML
body=${BODY:-'salary,commission,age,elevel,car,zipcode,hvalue,hyears,loan\n85000,0,41,2,7,3,450000,12,120000\n'}
JAVA_HOME=$("$here/../main/scripts/find-jdk")
"$here/../../penstock" train "${RUN:-$work/run.yaml}" >"$work/out" 2>&1 &
run=$!
trap 'kill "$run" 2>/dev/null || true; wait "$run" 2>/dev/null || true; rm -rf "$work"' EXIT
address=
while [ -z "$address" ]; do
  kill -0 "$run" 2>/dev/null || { cat "$work/out" >&2; exit 1; }
  address=$(sed -n 's:.*meters at \(http.*\)/metrics.*:\1:p' "$work/out")
  sleep 0.2
done
uptime >&2
"$JAVA_HOME/bin/java" -XX:+UseSerialGC "$here/PredictionLoad.java" "$address" "$rate" "$seconds" "$rounds" "$body"
uptime >&2
