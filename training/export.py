"""A run's network as a checkpoint that the application loads, with its model card."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from engine.models import build_network, folder_of
from engine.models.checkpoint import Manifest, load_tensors, read_manifest, save_checkpoint
from engine.models.geometry import geometry_tensors
from engine.progress import ProgressCallback, ignore_progress
from training.config import SpaceKind, SystemConfig
from training.data.data_set import Dataset
from training.geometry import Fitted, fit_views
from training.loop import METRICS_NAME, check_data, load_state, read_config
from training.networks import existing_network, network_config


def export(
    run_folder: Path,
    dataset: Dataset,
    out: Path,
    progress: ProgressCallback = ignore_progress,
    *,
    fit_on: Dataset | None = None,
    percentages_on: Dataset | None = None,
    title: str = "",
    description: str = "",
    licence: str = "not stated",
    space: SpaceKind = "band",
) -> Manifest:
    """Write weights, manifest and README.md; the model has the name of its folder.

    The centre and axes of both views are fitted on the data set's training voices, what their
    cosines mean on its validation voices; both on those of ``fit_on`` where it is given, whose
    artists are in the part that the data set has them in. ``percentages_on``: see ``fit_views``.

    Raises:
        RunError: no run, or one on other data than ``dataset``. ConfigError, DataError.
    """
    config = read_config(run_folder)
    check_data(run_folder, dataset)
    state = load_state(run_folder)
    network_settings = network_config(config.encoder)
    network, excerpt_samples, _ = build_network(config.encoder.architecture, network_settings)
    network.load_state_dict(final_weights(state))
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    songs = dataset if fit_on is None else fit_on.with_parts_of([dataset])
    fitted = fit_views(network, excerpt_samples, songs, progress, percentages_on, space)
    weights = {f"network.{name}": t for name, t in network.state_dict().items()}
    manifest = Manifest(
        name=out.name,
        architecture=config.encoder.architecture,
        title=title or out.name,
        description=description,
        licence=licence,
        source="",
        config=network_settings,
        system=config.name,
        data=[{"name": s["corpus"], **s} for s in dataset.info["sources"]],
        training=training_facts(config, state["batch"], run_folder),
        calibration=plain_calibration(fitted),
    )
    stored = halves(weights | geometry_tensors(fitted.geometry))
    written = save_checkpoint(out, manifest, stored)
    (out / "README.md").write_text(model_card(written), encoding="utf-8")
    return written


def fit_existing(
    name: str,
    dataset: Dataset,
    out: Path,
    progress: ProgressCallback = ignore_progress,
    *,
    percentages_on: Dataset | None = None,
    title: str = "",
    description: str = "",
    space: SpaceKind = "band",
) -> Manifest:
    """Write a model anew with centre, axes and calibration of this data set; the network stays.

    It is another model then, with the name of its folder, and title and description where given.

    Raises:
        CheckpointError, DataError.
    """
    folder = folder_of(name)
    manifest = read_manifest(folder)
    network, excerpt_samples = existing_network(name)
    fitted = fit_views(network, excerpt_samples, dataset, progress, percentages_on, space)
    stored = load_tensors(folder, manifest, as_stored=True)
    network_tensors = {n: t for n, t in stored.items() if n.startswith("network.")}
    return save_checkpoint(
        out,
        replace(
            manifest,
            name=out.name,
            title=title or manifest.title,
            description=description or manifest.description,
            data=[*manifest.data, *_fitted_on(dataset)],
            calibration=plain_calibration(fitted),
        ),
        network_tensors | halves(geometry_tensors(fitted.geometry)),
    )


def _fitted_on(dataset: Dataset) -> list[dict[str, Any]]:
    """Sources, whose sound no network learned from."""
    return [{"name": f"{s['corpus']}: centre and axes", **s} for s in dataset.info["sources"]]


def final_weights(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Of a saved run: the average of its weights where it has begun to take one, else the last."""
    average = state.get("average", {"num": 0})
    weights: dict[str, torch.Tensor] = average["means"] if average["num"] else state["network"]
    return weights


def plain_calibration(fitted: Fitted) -> dict[str, dict[str, float]]:
    return {view: asdict(one) for view, one in fitted.calibration.items()}


def halves(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: half(tensor) for name, tensor in tensors.items()}


def half(tensor: torch.Tensor) -> torch.Tensor:
    """Floating point to float16; what would overflow there stays as it is."""
    is_small = tensor.is_floating_point() and bool((tensor.abs() < 65_000).all())
    return tensor.half() if is_small else tensor


def training_facts(config: SystemConfig, num_batches: int, run_folder: Path) -> dict[str, Any]:
    """Settings, length and last validation of a run."""
    facts = {
        "config": config.as_dict(),
        "num_batches": num_batches,
        "num_pairs": num_batches * config.optim.num_pairs,
        "commit": _commit(),
    }
    path = run_folder / METRICS_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    validations = [entry for entry in map(json.loads, lines) if entry["kind"] == "valid"]
    return facts | ({"last_validation": validations[-1]} if validations else {})


def _commit() -> str:
    """Of the code at hand; "" outside of a checkout."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        here = Path(__file__).parent
        return subprocess.run(
            command, cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def model_card(manifest: Manifest) -> str:
    """README.md: what it is, what it learned from, and how."""
    facts = manifest.training
    sections = [
        f"# {manifest.title}\n\n{manifest.description}\n\n"
        f"- name: `{manifest.name}`, architecture `{manifest.architecture}`, system "
        f"`{manifest.system}`\n- licence of the weights: {manifest.licence}\n"
        f"- weights sha256: `{manifest.sha256}`",
        "## Data\n\n" + "\n".join(_source_line(source) for source in manifest.data),
        "## Training\n\n"
        f"{facts['num_pairs']:,} pairs in {facts['num_batches']:,} batches"
        + (f", code of commit {facts['commit']}" if facts["commit"] else "")
        + ". Settings that differ from the defaults in `training/config.py`:\n\n```json\n"
        + json.dumps(changed_settings(facts["config"]), indent=1)
        + "\n```",
    ]
    return "\n\n".join(sections) + "\n"


def changed_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is as in the dataclasses' defaults."""
    defaults = json.loads(json.dumps(SystemConfig(config["name"], "").as_dict()))
    values = json.loads(json.dumps(config))
    sections = {
        name: {key: v for key, v in value.items() if v != defaults[name][key]}
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }
    return {name: value for name, value in sections.items() if value not in ({}, [])}


def _source_line(source: Mapping[str, Any]) -> str:
    artists = source["artists"]
    names = ", ".join(artists) if len(artists) <= 12 else f"{len(artists)} voices"
    corpus = source["corpus"] or "own collection"
    return (
        f"- {corpus} ({source['kind']}, {source['num_songs']} files, {source['minutes']} min): "
        f"{names}; {source['licence'] or 'licence not stated'}"
    )
