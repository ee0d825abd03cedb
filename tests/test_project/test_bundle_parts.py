"""What is said of a bundle's parts: whose each file is, their licences, the list for programs."""

import json
import re
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from support.documents import ROOT

from tools.bundled_parts import (
    DISTRIBUTION,
    INSIDE,
    MODEL,
    PYTHON,
    Part,
    UnknownSourceError,
    info_folder,
    own_licence,
    parts_of,
)
from tools.licences import MissingLicenceError, folder_name, write_licences
from tools.lock import lines
from tools.release_notes import ReleaseError, main, notes, program_version
from tools.sbom import sbom


def installed(distribution: str, ending: str) -> str:
    """A file that a distribution has installed here."""
    files = metadata.distribution(distribution).files or []
    return next(str(Path(f.locate()).absolute()) for f in files if str(f).endswith(ending))


@pytest.fixture(scope="module")
def parts():
    sources = [
        installed("rich", "console.py"),
        installed("rich", "table.py"),
        installed("hnswlib", ".so"),
        installed("PySide6_Essentials", "QtCore.abi3.so"),
        str(Path(sysconfig.get_path("stdlib")) / "json" / "__init__.py"),
        str(ROOT / "engine" / "audio.py"),
    ]
    return parts_of(sources)


def named(parts, name):
    return next(part for part in parts if part.name == name)


def test_every_file_has_an_owner(parts):
    rich = named(parts, "rich")
    assert (rich.kind, rich.licence, rich.num_files) == (DISTRIBUTION, "MIT", 2)
    assert rich.version == metadata.version("rich")
    assert "Permission is hereby granted" in "".join(rich.texts.values())
    assert named(parts, "Python").kind == PYTHON
    assert named(parts, "hnswlib").licence == "Apache-2.0"  # its metadata does not say it


@pytest.mark.parametrize(
    ("name", "ending", "licence", "words"),
    [
        ("swift-f0", ".onnx", "MIT", "Permission is hereby granted"),
        ("onnxruntime", "__init__.py", "MIT", "Permission is hereby granted"),
        ("soundfile", "soundfile.py", "BSD", "Redistribution and use"),
    ],
)
def test_newer_packages_bring_their_licences(name, ending, licence, words):
    [part] = [one for one in parts_of([installed(name, ending)]) if one.kind == DISTRIBUTION]
    assert licence in part.licence
    assert words in "".join(part.texts.values())


@pytest.mark.parametrize("name", ["swift-f0", "PySide6_Essentials"])
def test_parts_are_found_by_their_names_in_a_bundle(name, tmp_path):
    """swift-f0 asks for its own version when it is imported."""
    part = Part(name, metadata.version(name), DISTRIBUTION, "MIT", {})
    folder = tmp_path / info_folder(part)
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {part.version}\n")
    [found] = metadata.distributions(name=name, path=[str(tmp_path)])
    assert found.version == part.version


def test_our_own_files_are_nobody_elses(parts):
    assert "singalike" not in {part.name for part in parts}


def test_models_come_with_their_licences(parts):
    models = {part.name: part.licence for part in parts if part.kind == MODEL}
    assert models["spleeter-2stems"] == "MIT"
    assert models["singalike-3"] == "Apache-2.0"
    folders = {p.parent.name for p in (ROOT / "resources").glob("*/*/checkpoint.json")}
    assert models.keys() == folders


WORDS = {
    "MIT": "Permission is hereby granted, free of charge",
    "Apache-2.0": "Apache License",
    "ISC": "Permission to use, copy, modify, and/or distribute",
}


def test_all_say_the_same_licence(parts):
    """The code's, then those of the weights: the wheel, the bundle and app stores agree."""
    models = [part for part in parts if part.kind == MODEL]
    weights = {name for part in models for name in part.licence.split(" AND ")}
    assert weights == WORDS.keys()
    expected = " AND ".join(["MIT", *sorted(weights - {"MIT"})])
    assert own_licence() == expected
    about = (ROOT / "packaging" / "linux" / "metainfo.xml").read_text("utf-8")
    assert f"<project_license>{expected}</project_license>" in about
    listed = json.loads(sbom(parts, "1", 0))["metadata"]["component"]["licenses"]
    assert listed == [{"expression": expected}]
    assert WORDS["MIT"] in (ROOT / "LICENSE").read_text("utf-8")
    for part in models:
        if " AND " not in part.licence:  # one of several parts names their texts
            assert WORDS[part.licence] in part.texts["LICENSE"], part.name
        else:
            for path in re.findall(r"\((resources/.*?)\)", part.texts["LICENSE"]):
                assert (ROOT / path).is_file()


def test_texts_are_added_where_a_distribution_brings_none(parts):
    qt = named(parts, "PySide6_Essentials")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in qt.texts["LGPL-3.0.txt"]


def test_libraries_inside_of_a_wheel_are_parts_of_their_own():
    files = metadata.distribution("av").files or []
    libraries = [str(Path(f.locate()).absolute()) for f in files if "av.libs/" in str(f)]
    found = {part.name: part for part in parts_of(libraries) if part.kind == INSIDE}
    assert found["x264"].licence == "GPL-2.0-or-later"
    assert {"FFmpeg", "LAME", "Opus", "dav1d"} <= found.keys()
    assert all(part.texts for part in found.values())


def test_a_library_that_nobody_knows_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "av.libs"
    folder.mkdir()
    (folder / "libmystery.so.1").write_bytes(b"")
    monkeypatch.setattr(
        "tools.bundled_parts._owners_of_site_packages",
        lambda: {str(folder / "libmystery.so.1"): (DISTRIBUTION, "av")},
    )
    with pytest.raises(UnknownSourceError, match="libmystery"):
        parts_of([str(folder / "libmystery.so.1")])


def test_a_stray_file_is_refused(tmp_path):
    with pytest.raises(UnknownSourceError, match="stray"):
        parts_of([str(tmp_path / "libstray.so")])


def test_licences_are_written_as_texts_with_an_overview(parts, tmp_path):
    write_licences(parts, tmp_path, "1.2.3", "our own licence")
    overview = (tmp_path / "README.txt").read_text("utf-8")
    assert overview.startswith("Singalike 1.2.3 is MIT-licensed")
    assert f"rich {metadata.version('rich')}: MIT" in overview
    assert "GNU General Public License" not in overview  # no x264 among these parts
    for part in parts:
        texts = list((tmp_path / folder_name(part)).iterdir())
        assert len(texts) == len(part.texts)
        assert all(text.stat().st_size for text in texts)
    assert (tmp_path / "LICENSE.txt").read_text() == "our own licence"


def test_that_a_bundle_is_under_the_gpl_is_said(tmp_path):
    x264 = Part("x264", "1", INSIDE, "GPL-2.0-or-later", {"GPL-2.0.txt": "the text"})
    write_licences([x264], tmp_path, "1", "own")
    assert "GNU General Public License" in (tmp_path / "README.txt").read_text("utf-8")


@pytest.mark.parametrize(
    "part", [Part("x", "1", PYTHON, "MIT", {}), Part("x", "1", PYTHON, "", {"a": "b"})]
)
def test_a_part_without_a_licence_is_refused(part, tmp_path):
    with pytest.raises(MissingLicenceError, match="x 1"):
        write_licences([part], tmp_path, "1", "own")


def test_the_list_for_programs(parts):
    text = sbom(parts, "1.2.3", 1_700_000_000)
    assert text == sbom(parts, "1.2.3", 1_700_000_000)
    listed = json.loads(text)
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.5")
    assert listed["metadata"]["component"]["version"] == "1.2.3"
    assert listed["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    by_name = {component["name"]: component for component in listed["components"]}
    assert by_name["rich"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert by_name["rich"]["purl"] == f"pkg:pypi/rich@{metadata.version('rich')}"
    [qt] = by_name["PySide6_Essentials"]["licenses"]
    assert qt["expression"].startswith("LGPL-3.0-only OR")
    references = [component["bom-ref"] for component in listed["components"]]
    assert len(references) == len(set(references)) == len(parts)
    assert listed["dependencies"][0]["dependsOn"] == references


CHANGELOG = "# Changelog\n\n## 1.1.0 (2026-01-02)\n\n- New.\n\n## 1.0.0\n\n- First.\n\n## 0.9\n\n"


def test_release_notes_are_a_version_s_own_section():
    assert notes(CHANGELOG, "1.1.0") == "- New.\n"
    assert notes(CHANGELOG, "1.0.0") == "- First.\n"
    for version in ("1.1", "2.0.0", "0.9"):
        with pytest.raises(ReleaseError, match=version):
            notes(CHANGELOG, version)


def test_a_tag_must_say_what_the_program_says(capsys):
    assert main([program_version()]) == 0
    assert capsys.readouterr().out.startswith("- ")
    assert main(["99.0"]) == 1
    assert "99.0" in capsys.readouterr().err


def test_the_version_is_written_in_one_place():
    assert program_version() == __import__("engine").__version__
    wanted = program_version()
    for name in ("pyproject.toml", "build.spec", "packaging/linux/entry.desktop",
                 "packaging/linux/metainfo.xml",
                 "packaging/windows/version.txt", "packaging/macos/Info.plist"):  # fmt: skip
        assert wanted not in (ROOT / name).read_text().replace("127.0.0.1", ""), name


@pytest.mark.parametrize("path", sorted((ROOT / "packaging" / "locked").iterdir()))
def test_a_list_of_hashes_has_all_that_is_wanted_in_the_pinned_versions(path):
    told = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = [re.fullmatch(r"([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in told]
    versions = {one[1]: one[2].partition("+")[0] for one in found}
    assert len(versions) == len(told)
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        name, _, version = line.partition("==")
        if name := canonical(name) if version else "":
            assert versions.get(name, version) == version, name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["package"]]
    wanted = [re.match(r"[\w.-]+", one)[0] for one in asked]
    assert {canonical(one) for one in wanted} <= versions.keys()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_list_of_hashes_is_made_of_what_pip_reports():
    archive = {"archive_info": {"hashes": {"sha256": "f" * 64}}}
    told = {"metadata": {"name": "A_b.C", "version": "1"}, "download_info": archive}
    ourselves = {"metadata": {"name": "singalike"}, "download_info": {"dir_info": {}}}
    assert lines({"install": [told, ourselves]}) == [f"a-b-c==1 --hash=sha256:{'f' * 64}"]
