"""What this is, and the licences of all that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from app.preferences.section import Section
from app.services.services import Services
from engine import __version__
from engine.paths import resources_path

# Their licences are asked for by the packages themselves; tools of development are left out.
PACKAGES = (
    "av", "hnswlib", "matplotlib", "mutagen", "numpy", "onnxruntime", "openTSNE", "pillow",
    "platformdirs", "PySide6-Essentials", "shiboken6", "rich", "safetensors", "scikit-learn",
    "scipy", "sounddevice", "soundfile", "sqlite-utils", "swift-f0", "torch", "torchaudio",
    "typer", "watchfiles",
)  # fmt: skip
# What these say in their sources only, not in a line of their metadata.
UNDECLARED = {"hnswlib": "Apache-2.0", "torch": "BSD-3-Clause"}


@dataclass(frozen=True)
class Part:
    name: str
    version: str
    licence: str


class AboutSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.add_heading(f"Singalike {__version__}")
        self.add_note(
            self.tr(
                "Finds singers who sound alike in your own music. Everything happens on this "
                "computer: nothing is uploaded."
            )
        )
        self.add_heading(self.tr("Licences"))
        if (folder := licences_path()) is not None:
            place = self.tr("All texts, and the list of parts (sbom.cdx.json), are in {folder}")
            self.add_note(place.format(folder=folder))
        self.text = self.add_text(self.tr("Licences"), 260)
        self.run(licences_text, self.text.setPlainText)


def licences_path() -> Path | None:
    """Where a bundle has the licences of all that is in it; None where this is no bundle."""
    folder = resources_path().parent / "licences"
    return folder if folder.is_dir() else None


def licences_text() -> str:
    """All parts that are installed with their licences, then the licences of what is bundled."""
    lines = ["Singalike is free software under the MIT licence.", "", "It is built on:"]
    lines += [f"  {part.name} {part.version}: {part.licence}" for part in installed_parts()]
    for path in sorted(resources_path().glob("*/*/LICENSE")):
        lines += ["", f"Model {path.parent.name}", "", path.read_text("utf-8").strip()]
    return "\n".join(lines)


def installed_parts() -> list[Part]:
    found = []
    for name in PACKAGES:
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(Part(about["Name"], about["Version"], _licence(about)))
    return found


def _licence(about: metadata.PackageMetadata) -> str:
    for key in ("License-Expression", "License"):
        text = next((value for value in about.get_all(key) or () if value), "").strip()
        if text and "\n" not in text and len(text) < 80:
            return text
    classifiers = about.get_all("Classifier") or []
    names = [c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith("License ::")]
    return ", ".join(names) or UNDECLARED.get(about["Name"].lower(), "")
