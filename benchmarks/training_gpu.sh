#!/bin/sh
# Everything about training that needs a GPU, in one go, about ten minutes on one H100:
#   sh benchmarks/training_gpu.sh [FOLDER FOR THE FIGURES]
# Goals: >= 90 % of the ceiling; >= 20,000 pairs/s on one H100; >= 20 x the plain recipe.
set -eu
out=${1:-gpu-figures}
mkdir -p "$out"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/gpu.txt"
python - <<'PYTHON' | tee -a "$out/gpu.txt"
import torch
print("torch", torch.__version__, "cuda", torch.version.cuda, "bf16", torch.cuda.is_bf16_supported())
PYTHON
# The paper's batch, then the batches that fill a large GPU; the plain recipe once is enough.
python benchmarks/training.py --pairs 128 --batches 100 --segments 2048 --json "$out/128.json"
for pairs in 512 1024 2048; do
    python benchmarks/training.py --pairs "$pairs" --batches 40 --segments 2048 --no-plain \
        --json "$out/$pairs.json"
done
python benchmarks/training.py --pairs 1024 --batches 40 --segments 2048 --no-plain --stems stream \
    --systems cvsm-a singalike --json "$out/1024-stream.json"
python -m pytest -q tests/test_training/test_run.py tests/test_training/pairs/test_sampling.py
