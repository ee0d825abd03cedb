"""Whether a file lies on a network drive, where SQLite's WAL must not be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.library import filenames

_NETWORK_TYPES = """
    nfs nfs4 cifs smb3 smbfs 9p afs ceph glusterfs davfs ncpfs
    fuse.sshfs fuse.rclone fuse.smbnetfs fuse.glusterfs fuse.curlftpfs
"""
_DRIVE_REMOTE = 4  # what GetDriveType says of a mapped network drive
_MOUNTS = Path("/proc/self/mounts")


def is_on_network(path: Path) -> bool:
    """As far as the system tells (macOS does not); False where it does not."""
    path = filenames.resolved(path)
    if sys.platform == "win32":
        import ctypes

        drive = path.drive
        kind = ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\")
        return drive.startswith("\\\\") or bool(kind == _DRIVE_REMOTE)
    try:
        mounts = _MOUNTS.read_bytes()
    except OSError:
        return False
    return file_system_of(path, mounts) in _NETWORK_TYPES.split()


def file_system_of(path: Path, mounts: bytes) -> str:
    """The type of the file system that holds an absolute path; ``mounts`` as in /proc/mounts."""
    best, kind = b"", b""
    wanted = os.fsencode(path) + b"/"
    for line in mounts.splitlines():
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        place = fields[1].replace(b"\\040", b" ").replace(b"\\134", b"\\").rstrip(b"/") + b"/"
        if wanted.startswith(place) and len(place) >= len(best):  # later ones lie on top
            best, kind = place, fields[2]
    return kind.decode("ascii", "replace")
