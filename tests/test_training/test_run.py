"""Runs on a tiny data set: stopped, resumed, killed, shared by two processes, exported."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from support.training_data import write_dataset
from torch._dynamo.testing import CompileCounter
from torch.utils._python_dispatch import TorchDispatchMode

from engine.models import load
from engine.models.segments import SEGMENT_SAMPLES
from engine.progress import Progress
from training.config import SystemConfig, load_system
from training.data.data_set import ROW_BYTES, Dataset
from training.data.stems import StreamedStems, open_stems
from training.distributed import World
from training.errors import ConfigError, DataError, RunError
from training.export import export, final_weights
from training.loop import (
    METRICS_NAME,
    STATE_NAME,
    Log,
    load_state,
    read_config,
    run,
    save_state,
)
from training.schedule import Schedule
from training.trainer import RunOptions, Trainer, random_seed

ROOT = Path(__file__).parents[2]
CPU = RunOptions(device="cpu", log_every=1)
# Short excerpts keep EfficientNet quick here; nothing else depends on their length.
SMALL = ["optim.num_pairs=4", "optim.validate_every=1000", "encoder.excerpt_samples=3200"]


def small(system: str, *overrides: str) -> SystemConfig:
    return load_system(system, [*SMALL, *overrides])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_dataset(tmp_path_factory.mktemp("data"))


def logged(folder: Path, kind: str = "train") -> list[dict[str, float]]:
    lines = map(json.loads, (folder / METRICS_NAME).read_text("utf-8").splitlines())
    return [line for line in lines if line["kind"] == kind]


def test_a_resumed_run_has_the_losses_of_an_undisturbed_one(
    dataset: Dataset, tmp_path: Path
) -> None:
    config = small("singalike", "distil.teacher=''", "augment.voice_steps=1")
    run(config, dataset, tmp_path / "whole", RunOptions("cpu", log_every=1, stop_after=2))
    halves = tmp_path / "halves"
    trainer = Trainer(config, dataset, RunOptions("cpu", stop_after=2))
    trainer.step()
    halves.mkdir()
    (halves / "config.json").write_text(json.dumps(config.as_dict()), "utf-8")
    save_state(halves, trainer.state())
    run(config, dataset, halves, RunOptions("cpu", log_every=1, stop_after=2))
    whole = {line["batch"]: line["total"] for line in logged(tmp_path / "whole")}
    resumed = {line["batch"]: line["total"] for line in logged(halves)}
    assert set(resumed) == {2}
    assert resumed == {batch: whole[batch] for batch in resumed}


@pytest.mark.parametrize(
    "system", ["cola", "cola-art", "mscol", "cvsm-a", "cvsm-ah", "cvsm-af", "cvsm-art", "singalike"]
)
def test_every_system_steps(system: str, dataset: Dataset) -> None:
    overrides = ["distil.teacher=''"] if system == "singalike" else []
    trainer = Trainer(small(system, *overrides), dataset, CPU)
    parts = trainer.step()
    assert np.isfinite(float(parts["total"]))
    assert all(p.grad is not None for p in trainer.network.parameters())


def test_the_second_stage_of_cvsm_af_begins_afresh_with_real_mixtures_only(
    dataset: Dataset,
) -> None:
    trainer = Trainer(small("cvsm-af", "optim.num_batches=100"), dataset, CPU)
    trainer.step()  # whose statistics become the network's: fresh ones make all embeddings alike
    trainer.schedule = Schedule(halvings=2, best_loss=0.5, best_batch=10)
    trainer.batch = 74
    assert float(trainer.step()["learning_rate"]) == 1e-3 / 4
    assert trainer.batch == 75
    last_of_first = trainer.validate()["loss"]
    assert float(trainer.step()["learning_rate"]) == 5e-4
    assert trainer.schedule == Schedule(best_batch=75, stage_from=0.75)
    # The network has hardly moved, but what it is validated on has.
    real = Trainer(small("mscol"), dataset, CPU)
    real.restore(trainer.state())
    assert trainer.validate()["loss"] == real.validate()["loss"] != last_of_first


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # while torch loads
def test_a_compiled_network_is_compiled_once(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = CompileCounter()
    monkeypatch.setattr("torch.compile", partial(torch.compile, backend=counter))
    trainer = Trainer(small("cvsm-ah"), dataset, RunOptions("cpu", compile=True))
    for _ in range(12):
        trainer.step()
        trainer.validate() if trainer.batch == 5 else None
    assert counter.frame_count == 1


class Questions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what makes a GPU and its program wait for each other."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.asked: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if func.overloadpacket.__name__ in ("_local_scalar_dense", "nonzero", "_unique2"):
            self.asked.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("system", ["cvsm-af", "singalike", "singalike-cvsm"])
def test_a_step_asks_the_device_for_no_number(system: str, dataset: Dataset) -> None:
    overrides = ["distil.teacher=''"] if system == "singalike" else []
    overrides += ["distil.space=singalike-3"] if system == "singalike-cvsm" else []
    trainer = Trainer(small(system, "optim.average=1", *overrides), dataset, CPU)
    trainer.step()
    with Questions() as questions:
        trainer.step()
    assert questions.asked == []


def test_validation_reports_the_task_and_the_artists(dataset: Dataset) -> None:
    config = small("cola", "encoder.excerpt_samples=16000", "optim.num_pairs=2")
    results = Trainer(config, dataset, CPU).validate()
    assert results == Trainer(config, dataset, CPU).validate()
    assert set(results) == {
        "loss", "accuracy", "eer_vocals", "mnr_vocals", "eer_mixture", "mnr_mixture",
    }  # fmt: skip
    assert all(np.isfinite(value) for value in results.values())


def test_the_learning_rate_halves_as_in_the_paper() -> None:
    schedule = Schedule()
    for batch in range(0, 1000, 100):
        schedule.note(1.0 - batch / 1e6, batch, halve_after=300)
    assert schedule.halvings == 0
    for batch in range(1000, 1900, 100):
        schedule.note(2.0, batch, halve_after=300)
    assert (schedule.best_batch, schedule.halvings) == (900, 3)
    for batch in range(1900, 3000, 100):
        schedule.note(0.1, batch, halve_after=300)
    assert schedule.halvings == 3


def test_streamed_stems_train_and_go_on_with_the_same_losses(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.stems.MAX_POOL_ROWS", 4)
    monkeypatch.setattr("training.data.stems.DRAWS_PER_ROW", 1)  # a new pool for each batch
    config = small("cola-art")
    options = RunOptions("cpu", stems="stream", log_every=1, stop_after=2)
    run(config, dataset, tmp_path / "whole", options)
    first = RunOptions("cpu", stems="stream", log_every=1, stop_after=1)
    run(config, dataset, tmp_path / "halves", first)
    run(config, dataset, tmp_path / "halves", options)
    losses = [[line["loss"] for line in logged(tmp_path / n)] for n in ("whole", "halves")]
    assert losses[0] == losses[1]


def test_another_run_in_the_folder_is_left_alone(dataset: Dataset, tmp_path: Path) -> None:
    run(small("cola"), dataset, tmp_path, RunOptions("cpu", stop_after=1))
    state = (tmp_path / STATE_NAME).read_bytes()
    with pytest.raises(RunError, match="holds a run of the system cola, not mscol"):
        run(small("mscol"), dataset, tmp_path, CPU)
    with pytest.raises(RunError, match="other settings"):
        run(small("cola", "seed=3"), dataset, tmp_path, CPU)
    assert (tmp_path / STATE_NAME).read_bytes() == state
    assert read_config(tmp_path) == small("cola")


def test_damage_and_bad_options_in_words(dataset: Dataset, tmp_path: Path) -> None:
    config = small("cola")
    with pytest.raises(RunError, match="no run folder"):
        read_config(tmp_path)
    for device in ("moon", "meta", "cuda:77"):
        with pytest.raises(RunError, match="--device"):
            Trainer(config, dataset, RunOptions(device))
    run(config, dataset, tmp_path, RunOptions("cpu", stop_after=1))
    (tmp_path / STATE_NAME).write_bytes(b"PK nothing")
    with pytest.raises(RunError, match="damaged"):
        run(config, dataset, tmp_path, CPU)
    with pytest.raises(ConfigError, match="dvector is a dvector network"):
        Trainer(load_system("singalike-dvector", ["encoder.architecture=cvsm"]), dataset, CPU)


def test_a_full_disk_leaves_the_last_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data.0: file write failed")

    save_state(tmp_path, {"batch": 1})
    before = (tmp_path / STATE_NAME).read_bytes()
    monkeypatch.setattr(torch, "save", fill)
    with pytest.raises(RunError, match="Make room"):
        save_state(tmp_path, {"batch": 2})
    assert [path.name for path in tmp_path.iterdir()] == [STATE_NAME]
    assert (tmp_path / STATE_NAME).read_bytes() == before


def test_memory_that_runs_out_names_the_switch(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(trainer: Trainer) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Trainer, "step", out_of_memory)
    with pytest.raises(RunError, match=r"optim\.num_pairs=2.*--stems stream"):
        run(small("cola"), dataset, tmp_path, CPU)


def test_lines_beyond_the_saved_state_are_taken_back(tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    for batch in (1, 2, 3):
        log.write("train", batch, {"loss": 1.0})
    with (tmp_path / METRICS_NAME).open("a") as file:
        file.write('{"kind": "tr')  # a torn line
    Log(tmp_path, 2)
    assert [line["batch"] for line in logged(tmp_path)] == [1, 2]


def command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return [sys.executable, "-m", "training", *arguments], environment


def arguments_of(dataset: Dataset, out: Path, *overrides: str) -> list[str]:
    settings = [part for text in (*SMALL, *overrides) for part in ("--set", text)]
    return ["run", "-s", "cola", "--data", str(dataset.path), "-o", str(out), *settings]


def begun(line: list[str], environment: dict[str, str], num: int) -> list[subprocess.Popen[bytes]]:
    """Processes that make one world, as torchrun starts them."""
    if num > 1:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        subprocess.Popen(
            line,
            env=environment | {"WORLD_SIZE": str(num), "RANK": str(rank)},
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        for rank in range(num)
    ]


def ended(processes: list[subprocess.Popen[bytes]]) -> list[int]:
    """Their exit codes; nothing is left running."""
    try:
        return [process.wait(timeout=300) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.linux
@pytest.mark.parametrize("num", [1, 2])
def test_sigterm_to_one_process_saves_and_ends_all(
    num: int, dataset: Dataset, tmp_path: Path
) -> None:
    processes = begun(*command(*arguments_of(dataset, tmp_path), "--log-every", "1"), num)
    deadline = time.monotonic() + 300
    while not (tmp_path / METRICS_NAME).exists() or len(logged(tmp_path)) < 3:
        assert [process.poll() for process in processes] == [None] * num
        assert time.monotonic() < deadline
        time.sleep(0.05)
    processes[-1].send_signal(signal.SIGTERM)
    assert ended(processes) == [0] * num
    state = torch.load(tmp_path / STATE_NAME, weights_only=True)
    assert state["batch"] >= 3
    assert state["batch"] == logged(tmp_path)[-1]["batch"]


def test_two_processes_have_the_loss_of_one_with_the_joint_batch(
    dataset: Dataset, tmp_path: Path
) -> None:
    overrides = ("encoder.drop_connect=0.0",)  # its masks are each process's own
    line, environment = command(*arguments_of(dataset, tmp_path / "two", *overrides))
    line += ["--batches", "2", "--device", "cpu", "--log-every", "1"]
    assert ended(begun(line, environment, 2)) == [0, 0]
    options = RunOptions("cpu", log_every=1, stop_after=2)
    run(small("cola", *overrides), dataset, tmp_path / "one", options)
    two, one = logged(tmp_path / "two"), logged(tmp_path / "one")
    assert [line["batch"] for line in two] == [line["batch"] for line in one] == [1, 2]
    for name in ("loss", "gradient_norm"):
        assert two[0][name] == pytest.approx(one[0][name], rel=1e-4)
    # Adam's first step is the gradient's sign: what is next to zero there may go either way.
    assert two[1]["loss"] == pytest.approx(one[1]["loss"], rel=1e-2)
    assert len(logged(tmp_path / "two", "valid")) == len(logged(tmp_path / "one", "valid")) == 1


def test_processes_drop_other_blocks() -> None:
    seeds = {random_seed(0, batch, 1 + rank) for batch in range(50) for rank in range(4)}
    assert len(seeds) == 200


def test_a_run_tells_its_length_at_once_and_ends_with_a_validation(
    dataset: Dataset, tmp_path: Path
) -> None:
    told: list[Progress] = []
    config = small("cola", "optim.num_batches=500")
    options = RunOptions("cpu", log_every=100, stop_after=2)
    run(config, dataset, tmp_path, options, told.append)
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages == ["cola", "schedule", "train"]
    assert "8 songs by 4 artists to learn from, 4 songs by 2 artists" in told[0].message
    assert told[1].message.startswith("500 batches take about ")
    assert told[2].eta_s is not None
    assert told[2].num_done == 1
    (validation,) = logged(tmp_path, "valid")
    assert validation["batch"] == 2


def test_fewer_batches_do_not_change_the_schedule(dataset: Dataset, tmp_path: Path) -> None:
    config = small("cola", "optim.schedule=cosine", "optim.num_batches=4", "optim.warmup_batches=2")
    for name, stop_after in (("whole", None), ("part", 2)):
        run(config, dataset, tmp_path / name, RunOptions("cpu", log_every=1, stop_after=stop_after))
    rates = [[line["learning_rate"] for line in logged(tmp_path / n)] for n in ("whole", "part")]
    assert len(rates[0]) == 4
    assert rates[1] == rates[0][:2]


def test_other_data_is_neither_gone_on_with_nor_exported(dataset: Dataset, tmp_path: Path) -> None:
    options = RunOptions("cpu", stop_after=1)
    run(small("cola"), dataset, tmp_path / "run", options)
    other = write_dataset(tmp_path / "other", seed=1)
    table = other.segments.copy()
    table["loudness_db"] -= 1
    other = replace(other, segments=table)
    with pytest.raises(RunError, match="other data"):
        run(small("cola"), other, tmp_path / "run", options)
    with pytest.raises(RunError, match="other data"):
        export(tmp_path / "run", other, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "run" / "data.json").unlink()  # a run from before this was noted
    run(small("cola"), other, tmp_path / "run", RunOptions("cpu", stop_after=2))


def test_nobody_to_validate_with_is_told_before_the_training(dataset: Dataset) -> None:
    table = dataset.segments.copy()
    table["has_vocals"][table["part"] == 1] = False
    with pytest.raises(DataError, match="Nobody sings in the validation part"):
        Trainer(small("cola"), replace(dataset, segments=table), CPU)


def test_pools_have_the_size_that_the_smallest_process_can_hold(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.stems.smallest", lambda value, world: 40 * ROW_BYTES)
    stems = open_stems(dataset, torch.device("cpu"), "stream", 4, 0, World())
    assert isinstance(stems, StreamedStems)
    rows = stems.rows(0)
    stems.close()
    assert rows.stems.untyped_storage().nbytes() == 12 * ROW_BYTES  # 0.6 of the room, in two pools


def test_a_speaker_encoder_learns_with_the_statistics_that_it_came_with(dataset: Dataset) -> None:
    trainer = Trainer(small("singalike-cvsm"), dataset, CPU)
    before = {name: tensor.clone() for name, tensor in trainer.network.named_buffers()}
    for _ in range(2):
        assert np.isfinite(float(trainer.step()["denoise"]))
        trainer.validate()
    for name, tensor in trainer.network.named_buffers():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    assert all(p.grad is not None for p in trainer.network.parameters())


def test_running_statistics_of_a_fresh_network_are_those_of_its_batches(dataset: Dataset) -> None:
    trainer = Trainer(small("cola"), dataset, RunOptions("cpu", stop_after=3))
    norm = next(m for m in trainer.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().var((0, 2, 3))))
    for _ in range(3):
        trainer.step()
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_var, torch.stack(seen).mean(0), rtol=1e-3, atol=1e-6)


def test_weights_are_averaged_over_the_end_of_the_run(dataset: Dataset, tmp_path: Path) -> None:
    settings = ("optim.num_pairs=2", "optim.num_batches=4", "optim.average=0.5")
    config, seen = small("cola", *settings), []
    trainer = Trainer(config, dataset, CPU)
    for _ in range(4):
        trainer.step()
        seen.append({name: t.clone() for name, t in trainer.network.state_dict().items()})
        if trainer.batch in (1, 3):  # saved and gone on with, as a run that was interrupted
            save_state(tmp_path, trainer.state())
            trainer = Trainer(config, dataset, CPU)
            trainer.restore(load_state(tmp_path))
    for name, tensor in final_weights(trainer.state()).items():
        third, fourth = seen[2][name], seen[3][name]
        is_count = not tensor.is_floating_point()
        torch.testing.assert_close(tensor, fourth if is_count else (third + fourth) / 2)


def test_a_run_without_an_average_ends_with_its_last_weights() -> None:
    last, mean = {"w": torch.ones(1)}, {"w": torch.zeros(1)}
    assert final_weights({"network": last}) is last
    assert final_weights({"network": last, "average": {"num": 0, "means": mean}}) is last
    assert final_weights({"network": last, "average": {"num": 1, "means": mean}}) is mean


def test_export_is_a_model_of_the_application(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.models.voice_model.has_fast_bfloat16", lambda: False)
    config = small("cola", "encoder.excerpt_samples=16000", "optim.num_pairs=2")
    trainer = run(config, dataset, tmp_path / "run", RunOptions("cpu", stop_after=1))
    told = {"title": "A tiny model", "description": "For tests."}
    export(tmp_path / "run", dataset, tmp_path / "tiny", **told)
    model = load(str(tmp_path / "tiny"))
    assert (model.name, model.dim, model.excerpt_samples) == ("tiny", 1280, 16_000)
    assert np.abs(model.geometry("vocals").centre).max() > 0
    trainer.network.eval()
    excerpts = torch.randn(2, 16_000) / SEGMENT_SAMPLES**0.5
    with torch.inference_mode():
        expected = trainer.network(excerpts).numpy()
    result = model.embed_excerpts(excerpts.numpy())
    cosines = (result * expected).sum(1) / np.linalg.norm(result, axis=1)
    np.testing.assert_allclose(cosines / np.linalg.norm(expected, axis=1), 1.0, atol=1e-3)
    card = (tmp_path / "tiny" / "README.md").read_text("utf-8")
    assert "licence of the weights: not stated" in card
    for words in ("A tiny model", "noise (stems", "CC0", "2 pairs"):
        assert words in card
