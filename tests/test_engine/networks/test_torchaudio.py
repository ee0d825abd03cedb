"""torchaudio works beside the torch that is installed, with CUDA and without."""

import torch
import torchaudio


def test_what_is_used_of_it_is_there():
    filterbank = torchaudio.functional.melscale_fbanks(201, 0.0, 8000.0, 40, 16_000)
    assert filterbank.shape == (201, 40)
    resampled = torchaudio.functional.resample(torch.ones(441), 441, 160)
    assert resampled.shape == (160,)
    assert isinstance(torchaudio.models.HDemucs(["vocals"], channels=4), torch.nn.Module)
