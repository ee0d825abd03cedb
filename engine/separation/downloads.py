"""Fetches one published file, only ever on request: resumable, checked, never half there.

pooch and torch.hub were tried instead: neither goes on with what has arrived (of 335 MB), stops
within seconds or keeps to https. All of that would stay here.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from engine import __version__
from engine.errors import DownloadError
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress, with_eta
from engine.separation.remote_file import RemoteFile

CHUNK_BYTES = 1 << 16
# A server that is silent for longer is given up; so long a request to stop may wait at worst.
TIMEOUT_S = 10.0
MB = 1_000_000
ELSEWHERE = "Try again later, or fetch the file elsewhere and name it."


def download(
    remote: RemoteFile,
    path: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> None:
    """Fetch a file to ``path``, unless it is there already.

    What arrives is kept in ``path`` + ``.partial``, where the next call goes on; only a complete
    file with the right sha256 gets its name. Progress is in megabytes.

    Raises:
        DownloadError: offline, refused, not the file expected, or no room on the disk.
        CancelledError: what has arrived is kept.
    """
    if remote.is_at(path):
        return
    cancel, progress = cancel or CancelToken(), with_eta(progress)
    partial_path = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        num_have = partial_path.stat().st_size if partial_path.exists() else 0
        for num_done, num_total, chunk in _chunks(remote, num_have):
            cancel.check()
            with partial_path.open("ab" if num_done else "wb") as file:
                file.write(chunk)
            done_mb, all_mb = round((num_done + len(chunk)) / MB), round(num_total / MB)
            progress(Progress("download", done_mb, all_mb, message=f"MB of {remote.name}"))
        if not remote.is_at(partial_path):
            partial_path.unlink(missing_ok=True)
            raise DownloadError(
                f"What {remote.url} gives is not the file that was published: its sha256 is "
                f"another one. Nothing was installed. {ELSEWHERE}"
            )
        partial_path.replace(path)
    except OSError as error:
        raise DownloadError(
            f"{remote.name} cannot be written to {path.parent}: {error}."
        ) from error


def _chunks(remote: RemoteFile, num_have: int) -> Iterator[tuple[int, int, bytes]]:
    """(bytes before it, about how many in all, a piece of the file) to its end.

    From the first byte that is missing on, or from the beginning where a server does not know how.
    Raises DownloadError, so that OSErrors of whoever writes them are the disk's.
    """
    headers = {"User-Agent": f"Singalike/{__version__}", "Accept-Encoding": "identity"}
    if num_have:
        headers["Range"] = f"bytes={num_have}-"
    request = urllib.request.Request(remote.url, headers=headers)
    try:
        with urllib.request.build_opener(_OnlyHttps).open(request, timeout=TIMEOUT_S) as response:
            is_rest = response.headers.get("Content-Range", "").startswith(f"bytes {num_have}-")
            num_done = num_have if is_rest else 0
            is_told = response.length is not None
            num_total = num_done + response.length if is_told else remote.size_bytes
            while chunk := response.read(CHUNK_BYTES):
                yield num_done, num_total, chunk
                num_done += len(chunk)
        if is_told and num_done < num_total:
            raise http.client.IncompleteRead(b"")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and num_have:  # nothing lies beyond what is here
            return
        raise DownloadError(
            f"{remote.url} cannot be had: the server answers {error.code} {error.reason}. "
            f"{ELSEWHERE}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(
            f"{remote.url} cannot be reached, or breaks off. Is this computer online? What has "
            "arrived is kept, and the next try goes on from there. You can also fetch the file on "
            "another computer and name it."
        ) from error


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Servers may send elsewhere, but not to where everybody on the way can read and write."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme != "https":
            raise DownloadError(
                f"{req.full_url} sends elsewhere, and not over https: nothing was fetched. "
                f"{ELSEWHERE}"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)
