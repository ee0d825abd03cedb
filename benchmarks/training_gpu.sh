#!/bin/sh
# Everything about training that needs a GPU, from made-up songs to a table, in eight minutes:
#   sh benchmarks/training_gpu.sh [FOLDER FOR THE FIGURES]
# Goals: >= 90 % of the bare network; >= 20,000 pairs/s on one H100 (compiled, 1,024 pairs);
# nothing compiled again; a reader that feeds more than that; a loss below 0.9 of knowing nothing's.
set -eu
out=${1:-gpu-figures}
mkdir -p "$out"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/gpu.txt"
PYTHONPATH=. python benchmarks/training_speed.py --device cuda --pairs 128 1024 --seconds 2 --rows 4096 \
    --train-s 180 --json "$out/figures.json" | tee "$out/figures.md"
