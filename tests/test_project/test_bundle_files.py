"""The bundle's own tools: packing, checking, icons, the menu, what the program starts as."""

import configparser
import json
import plistlib
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QImage
from support.documents import ROOT

from app.main import APP_ID
from tools import pack_bundle
from tools.check_bundle import BundleError, _compare, check_contents, check_licences
from tools.pack_bundle import files_of, manifest, pack

pytestmark = pytest.mark.linux


PACKAGING = ROOT / "packaging"
TIME_S = 1_700_000_000


@pytest.fixture
def bundle(tmp_path):
    """A folder as PyInstaller leaves it, in small."""
    folder = tmp_path / "a folder" / "Singalike"
    (folder / "_internal" / "licences" / "torch").mkdir(parents=True)
    (folder / "Singalike").write_bytes(b"\x7fELF")
    (folder / "Singalike").chmod(0o755)
    (folder / "singalike").hardlink_to(folder / "Singalike")
    (folder / "_internal" / "libfoo.so").symlink_to("libfoo.so.1")
    (folder / "_internal" / "libfoo.so.1").write_bytes(b"library")
    (folder / "_internal" / "notes.txt").write_text("Größe")
    return folder


def test_the_same_files_give_the_same_archive(bundle, tmp_path):
    first = pack(bundle, tmp_path / "one", TIME_S).read_bytes()
    other = tmp_path / "another folder" / "Singalike"
    shutil.copytree(bundle, other, symlinks=True)  # other times, no hard link
    (other / "singalike").unlink()
    (other / "singalike").hardlink_to(other / "Singalike")
    (other / "_internal" / "notes.txt").touch()
    assert pack(other, tmp_path / "two", TIME_S).read_bytes() == first


def test_an_archive_holds_what_its_manifest_lists(bundle, tmp_path):
    listed = manifest(bundle)
    assert listed["_internal/libfoo.so"] == "-> libfoo.so.1"
    assert listed["Singalike"] == listed["singalike"]
    assert len(listed) == len(list(files_of(bundle))) == 5
    with tarfile.open(pack(bundle, tmp_path / "one", TIME_S)) as archive:
        members = {member.name: member for member in archive}
        archive.extractall(tmp_path / "out", filter="tar")
    assert manifest(tmp_path / "out" / "Singalike") == listed
    assert {member.mtime for member in members.values()} == {TIME_S}
    assert {(member.uid, member.uname) for member in members.values()} == {(0, "")}
    assert members["Singalike/singalike"].islnk()  # stored once
    assert (tmp_path / "out" / "Singalike" / "Singalike").stat().st_mode & 0o111


def test_names_tell_version_and_system():
    assert re.fullmatch(r"singalike-\d+\.\d+\.\d+-[a-z]+-[a-z0-9_]+", pack_bundle.stem())


def test_contents_that_are_fine(bundle):
    figures = check_contents(bundle)
    assert figures["num_files"] == 5
    assert figures["unpacked_mb"] == pytest.approx((4 + 7 + 7 + 11) / 1e6, abs=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "training/loop.py",
        "torch/bin/test_api",
        "numpy/tests/conftest.py",
        "torch/include/ATen/ATen.h",
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/translations/qt_de.qm",
        "torchaudio/lib/libtorchaudio.so",
        "engine/audio.pyc",
    ],
)
def test_contents_that_should_not_be_there(bundle, name):
    path = bundle / "_internal" / name
    path.parent.mkdir(parents=True)
    path.write_text("something")
    with pytest.raises(BundleError, match="in the bundle"):
        check_contents(bundle)


def test_a_link_to_nothing_is_noticed(bundle):
    (bundle / "_internal" / "libfoo.so.1").unlink()
    with pytest.raises(BundleError, match=r"links to nothing.*libfoo\.so"):
        check_contents(bundle)


def test_a_text_that_names_the_builder_s_folder_is_noticed(bundle):
    (bundle / "_internal" / "settings.json").write_text(json.dumps({"root": str(ROOT / "engine")}))
    with pytest.raises(BundleError, match="who built it"):
        check_contents(bundle)


def test_a_part_without_its_licence_is_noticed(bundle):
    folder = bundle / "_internal" / "licences"
    listed = {"components": [{"name": "torch"}]}
    (folder / "sbom.cdx.json").write_text(json.dumps(listed))
    with pytest.raises(BundleError, match="torch has no licence text"):
        check_licences(bundle)
    (folder / "torch" / "LICENSE").write_text("x" * 300)
    with pytest.raises(BundleError, match="not in the list of parts"):
        check_licences(bundle)


def test_two_builds_must_have_the_same_files(capsys):
    _compare({"a": "1", "b": "2"}, {"a": "1", "b": "3"})
    assert "1 of 2 files differ ['b']" in capsys.readouterr().out
    with pytest.raises(BundleError, match="other files: \\['b'\\]"):
        _compare({"a": "1", "b": "2"}, {"a": "1"})


@pytest.fixture(scope="module")
def icons(tmp_path_factory):
    folder = tmp_path_factory.mktemp("icons")
    runpy.run_path(str(PACKAGING / "make_icons.py"))["main"](folder)
    return folder


def test_icons_of_linux_have_their_sizes(icons):
    for path in icons.glob("hicolor/*/apps/singalike.png"):
        size = int(path.parent.parent.name.split("x")[0])
        image = QImage(str(path))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(0, 0).alpha() == 0  # corners are round
        assert image.pixelColor(size // 2, size // 5).alpha() == 255
    assert len(list(icons.glob("hicolor/*/apps/singalike.png"))) == 9


def test_icons_of_windows_and_macos_hold_what_they_list(icons):
    ico = (icons / "singalike.ico").read_bytes()
    assert ico[:4] == b"\0\0\1\0"
    for number in range(int.from_bytes(ico[4:6], "little")):
        entry = ico[6 + 16 * number :][:16]
        size, start = (int.from_bytes(entry[i : i + 4], "little") for i in (8, 12))
        image = QImage.fromData(ico[start : start + size], "PNG")
        assert image.width() == (entry[0] or 256)
    icns = (icons / "singalike.icns").read_bytes()
    assert int.from_bytes(icns[4:8], "big") == len(icns)
    place, widths = 8, {}
    while place < len(icns):
        length = int.from_bytes(icns[place + 4 : place + 8], "big")
        image = QImage.fromData(icns[place + 8 : place + length], "PNG")
        widths[icns[place : place + 4].decode()] = image.width()
        place += length
    assert widths["ic10"] == 1024
    assert widths["ic14"] == 512


def test_the_desktop_entry():
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(PACKAGING / "linux" / "entry.desktop")
    assert entry["Desktop Entry"]["Icon"] == "singalike"
    types = entry["Desktop Entry"]["MimeType"].removesuffix(";").split(";")
    assert {"audio/mpeg", "audio/flac", "audio/ogg", "audio/mp4"} <= set(types)
    assert all(one.startswith("audio/") for one in types)  # not the program that opens folders
    assert entry["Desktop Entry"]["StartupWMClass"] == "Singalike"  # as X11 has it of the window


def test_one_identifier_is_what_every_system_is_told():
    """Where the window's own is another than the entry's, Wayland shows it without an icon."""
    assert re.fullmatch(r"alt\.[a-z]+\.Singalike", APP_ID)  # nobody's domain: RFC 9476
    assert "app.setDesktopFileName(APP_ID)" in (ROOT / "app" / "main.py").read_text()
    named = [
        str(path.relative_to(ROOT))
        for folder in ("app", "engine", "packaging", "tools", ".github")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and APP_ID.encode() in path.read_bytes()
    ]
    assert named == ["app/main.py"]
    assert APP_ID not in (ROOT / "build.spec").read_text()


def test_what_app_stores_are_told():
    text = (PACKAGING / "linux" / "metainfo.xml").read_text()
    root = ElementTree.fromstring(text.replace("@DATE@", "2026-01-01"))
    assert root.findtext("id") == "@ID@"
    assert root.findtext("launchable") == "@ID@.desktop"
    assert root.find("releases/release").get("version") == "@VERSION@"


def test_macos_offers_the_program_for_music_and_takes_it_from_no_other():
    told = plistlib.loads((PACKAGING / "macos" / "Info.plist").read_bytes())
    (kind,) = told["CFBundleDocumentTypes"]
    assert "public.audio" in kind["LSItemContentTypes"]
    assert (kind["CFBundleTypeRole"], kind["LSHandlerRank"]) == ("Viewer", "Alternate")


def test_macos_tells_why_the_microphone_is_asked_for():
    told = plistlib.loads((PACKAGING / "macos" / "Info.plist").read_bytes())
    assert "stays on this Mac" in told["NSMicrophoneUsageDescription"]


def test_windows_details_are_python_that_pyinstaller_reads():
    text = (PACKAGING / "windows" / "version.txt").read_text()
    filled = text.replace("@NUMBERS@", "1, 2, 3, 0").replace("@VERSION@", "1.2.3")
    names = ("VSVersionInfo", "FixedFileInfo", "StringFileInfo", "StringTable", "StringStruct",
             "VarFileInfo", "VarStruct")  # fmt: skip
    made = eval(filled, {name: lambda *values, **named: (values, named) for name in names})
    assert made[1]["ffi"][1]["filevers"] == (1, 2, 3, 0)


@pytest.fixture
def installed(tmp_path):
    """A bundle as Linux has it, in a folder that is awkward to quote."""
    folder = tmp_path / 'My "own" $music `x` \\ programs' / "Singalike"
    share = folder / "share"
    (share / "applications").mkdir(parents=True)
    (share / "metainfo").mkdir()
    (share / "icons" / "hicolor" / "16x16" / "apps").mkdir(parents=True)
    (share / "icons" / "hicolor" / "16x16" / "apps" / "singalike.png").write_bytes(b"")
    shutil.copy(PACKAGING / "linux" / "entry.desktop", share / f"applications/{APP_ID}.desktop")
    shutil.copy(PACKAGING / "linux" / "metainfo.xml", share / f"metainfo/{APP_ID}.metainfo.xml")
    shutil.copy(PACKAGING / "linux" / "install.sh", folder)
    (folder / "singalike").write_text("#!/bin/sh\necho it runs\n")
    (folder / "singalike").chmod(0o755)
    return folder


def install(folder: Path, home: Path, *arguments: str) -> None:
    subprocess.run(
        ["sh", str(folder / "install.sh"), *arguments],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, check=True, capture_output=True,
    )  # fmt: skip


def test_the_menu_starts_this_very_program_wherever_it_lies(installed, tmp_path):
    home = tmp_path / "home"
    install(installed, home)
    entry = (home / f".local/share/applications/{APP_ID}.desktop").read_text()
    assert (home / f".local/share/metainfo/{APP_ID}.metainfo.xml").is_file()
    [line] = [line for line in entry.splitlines() if line.startswith("Exec=")]
    # The specification: first the escapes of a string, then those within the quotes.
    string = line.removeprefix("Exec=").replace("\\\\", "\\")
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)" %F', string)[1]
    assert re.sub(r"\\(.)", r"\1", quoted) == str(installed / "Singalike")
    command = home / ".local/bin/singalike"
    assert subprocess.run([str(command)], capture_output=True, text=True, check=True).stdout == (
        "it runs\n"
    )
    install(installed, home, "--remove")
    left = {path.name for path in home.rglob("*") if not path.is_dir()}
    assert left <= {"mimeinfo.cache"}  # which desktops keep of all entries


@pytest.mark.parametrize(
    ("name", "expected"), [("Singalike", "window"), ("singalike", "command line")]
)
def test_the_program_is_what_its_name_says(name, expected, monkeypatch):
    started = []
    monkeypatch.setattr(sys, "executable", f"/opt/My programs/{name}")
    monkeypatch.setattr("engine.cli.main", lambda: started.append("command line"))
    monkeypatch.setattr("app.main.main", lambda: started.append("window"))
    main = runpy.run_path(str(PACKAGING / "start.py"), run_name="start")["main"]
    if expected == "window":
        with pytest.raises(SystemExit):
            main()
    else:
        main()
    assert started == [expected]


def test_workflows_call_what_there_is():
    texts = [path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    assert len(texts) == 2
    for text in texts:
        for script in re.findall(r"tools/\w+\.(?:py|sh)", text):
            assert (ROOT / script).is_file(), script
    assert "make test" in "".join(texts)


def test_about_tells_where_a_bundle_has_its_licences(tmp_path, monkeypatch):
    from app.preferences import about

    assert about.licences_path() is None  # here each package has its own
    (tmp_path / "licences").mkdir()
    monkeypatch.setattr(about, "resources_path", lambda: tmp_path / "resources")
    assert about.licences_path() == tmp_path / "licences"
