"""Networks run where they compute what the processor computes, and nowhere else."""

from __future__ import annotations

import logging

import pytest
import torch

from engine.networks import device


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.delenv(device.VARIABLE, raising=False)
    device.compute_device.cache_clear()
    yield
    device.compute_device.cache_clear()


def test_the_processor_agrees_with_itself():
    assert device.computes_as_expected(device.CPU)


def test_a_device_that_computes_nothing_is_not_trusted(monkeypatch, caplog):
    """Tensors of the device "meta" have shapes, but no values."""
    monkeypatch.setattr(device, "_found", lambda: ["meta"])
    with caplog.at_level(logging.WARNING):
        assert device.compute_device() == device.CPU
    assert "meta" in caplog.text


def test_a_device_that_computes_otherwise_is_not_trusted(monkeypatch):
    right = torch.nn.functional.conv2d
    calls = []

    def wrong_the_second_time(*args, **kwargs):
        calls.append(args)
        return right(*args, **kwargs) * (1.1 if len(calls) == 2 else 1)

    monkeypatch.setattr(device.F, "conv2d", wrong_the_second_time)
    assert not device.computes_as_expected(device.CPU)


@pytest.mark.parametrize("name", ["cpu", "cuda:99", "nonsense"])
def test_the_device_can_be_chosen(monkeypatch, name):
    monkeypatch.setenv(device.VARIABLE, name)
    assert device.compute_device() == device.CPU


def test_the_first_fit_device_is_taken(monkeypatch):
    monkeypatch.setattr(device, "_found", lambda: ["meta", "cuda"])
    monkeypatch.setattr(device, "computes_as_expected", lambda one: one.type == "cuda")
    assert device.compute_device().type == "cuda"
