#!/usr/bin/env bash
# Runs every published row again, publishes it and makes the board: bash leaderboard/publish.sh [FOLDER OF RECORDS]
# Corpora and weights are found as always, for example by BENCH_DATA and BENCH_WEIGHTS. What is finished is kept, so it
# can be interrupted and started again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bench="${BENCH:-.venv/bin/bench}"
records="${1:-.demo/published}"

run() { # task, head, upstreams
  local task=$1 head=$2
  shift 2
  "$bench" run --task "$task" --downstream "$head" "${@/#/--upstream=}" --results "$records"
}

run demo superb chance logmel mfcc egemaps
run demo svm egemaps
for task in urdu urdu-random; do
  run "$task" superb chance logmel mfcc egemaps whisper-tiny
  run "$task" svm chance spectrogram mfb-f0 egemaps egemaps-lld compare compare-lld whisper-tiny
  run "$task" svm-rbf egemaps compare
done
for task in demo urdu urdu-random; do
  "$bench" publish --task "$task" --out leaderboard/results --results "$records"
done
"$bench" leaderboard --results leaderboard/results --out leaderboard
