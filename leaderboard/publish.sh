#!/usr/bin/env bash
# Runs every published row again, publishes it, and makes the board and the pages that are made of the rows:
#     bash leaderboard/publish.sh [FOLDER OF RECORDS]
# Corpora and weights are found as always, for example by BENCH_DATA and BENCH_WEIGHTS. What is finished is kept, so it
# can be interrupted and started again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bench="${BENCH:-.venv/bin/bench}"
records="${1:-.demo/published}"

run() { # task, heads with commas between them, upstreams
  local task=$1 heads
  IFS=, read -ra heads <<< "$2"
  shift 2
  "$bench" run --task "$task" "${heads[@]/#/--downstream=}" "${@/#/--upstream=}" --results "$records"
}

run demo superb chance logmel mfcc egemaps
run demo svm egemaps
for task in urdu urdu-random; do
  run "$task" superb,svm,logistic,knn chance logmel mfcc egemaps moonshine-tiny moonshine-base whisper-tiny
  run "$task" svm spectrogram mfb-f0 egemaps-lld compare compare-lld
  run "$task" svm-rbf egemaps compare
done
for task in emovo emovo-random ravdess ravdess-random ravdess-song ravdess-song-random; do
  run "$task" superb,svm,logistic,knn chance logmel mfcc egemaps moonshine-tiny moonshine-base
done
for task in emovo emovo-random ravdess ravdess-random ravdess-song ravdess-song-random; do
  run "$task" superb,svm,logistic,knn whisper-tiny
done
for task in nemo nemo-random turev-db turev-db-random baved baved-random ased ased-random; do
  run "$task" superb,svm,logistic,knn whisper-tiny
done
for task in nemo nemo-random turev-db turev-db-random baved baved-random ased ased-random; do
  run "$task" superb,svm,logistic,knn chance logmel mfcc egemaps moonshine-tiny moonshine-base
done
for task in ravdess-to-emovo emovo-to-ravdess ravdess-to-urdu; do
  run "$task" superb,svm,logistic chance logmel mfcc egemaps moonshine-tiny moonshine-base whisper-tiny
done
run emovo attentive-statistics logmel mfcc moonshine-tiny
run emovo dense logmel
# The two rows of Pepino et al. that need no licensed corpus and no weights: bench reproduce pepino-2021 "Table 1".
run ravdess-7class dense egemaps-lld spectrogram
run ravdess-7class attentive-statistics,dense logmel
# What other benchmarks would report: docs/bridge.md is made of these rows.
for corpus in urdu emovo ravdess; do
  run "$corpus-maeb" maeb egemaps moonshine-tiny moonshine-base whisper-tiny
  run "$corpus-xares" xares-mlp,xares-knn egemaps moonshine-tiny moonshine-base whisper-tiny
  run "$corpus" maeb,xares-mlp,xares-knn egemaps moonshine-tiny moonshine-base whisper-tiny
done
run urdu-emobox emobox,superb moonshine-tiny moonshine-base
run urdu-emobox finetune,lora moonshine-tiny
run emovo-emobox emobox moonshine-tiny
for task in $(ls "$records"); do
  "$bench" publish --task "$task" --out leaderboard/results --results "$records"
done
"$bench" leaderboard --results leaderboard/results --out leaderboard
for page in urdu bridge findings hours; do
  "${bench%bench}python" "docs/draw_$page.py"
done
