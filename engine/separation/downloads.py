"""Fetches one published file, only ever on request: resumable, checked, never half there.

pooch and torch.hub were tried instead: neither goes on with what has arrived (of 335 MB), stops
within seconds, keeps to https, or ends with a server that does not. All of that would stay here.
"""

from __future__ import annotations

import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from engine import __version__
from engine.errors import DownloadError
from engine.models.checkpoint import file_sha256
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress

CHUNK_BYTES = 1 << 16
# A server that is silent for longer is asked again; so long a request to stop may wait at worst.
TIMEOUT_S = 10.0
MAX_TRIES = 4  # in a row, without a byte
PROGRESS_INTERVAL_S = 0.1
# Sizes are told roughly by some publishers; a server that does not end is stopped here.
MAX_SIZE_RATIO, MAX_EXTRA_BYTES = 1.25, 2_000_000
MB = 1_000_000


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher describes it.

    Attributes:
        url: where it lies, over https; the last part is its name.
        sha256: hex; publishers that name only the first digits are taken at these.
        size_bytes: told to people before the download; the server's word counts during it.
    """

    url: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if not _is_safe(self.url):
            raise ValueError(f"{self.url} is not fetched: only https is")
        if not re.fullmatch(r"[0-9a-f]{8,64}", self.sha256):
            raise ValueError(f"{self.sha256!r} is no sha256, nor the first digits of one")

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    def is_at(self, path: Path) -> bool:
        """Whether ``path`` is this file, by its sha256."""
        return path.is_file() and file_sha256(path).startswith(self.sha256)


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
    cancel = cancel or CancelToken()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        transfer = _Transfer(remote, path.with_name(f"{path.name}.partial"), progress, cancel)
        if not transfer.run():
            # A resumed file may be two halves of different versions: once more, from the start.
            transfer.partial_path.unlink()
            if not transfer.is_resumed or not transfer.run():
                transfer.partial_path.unlink(missing_ok=True)
                raise DownloadError(
                    f"What {remote.url} gives is not the file that was published: its sha256 is "
                    "another one. Nothing was installed. Try again later, or fetch the file "
                    "elsewhere and name it."
                )
        transfer.partial_path.replace(path)
    except OSError as error:
        raise DownloadError(
            f"{remote.name} cannot be written to {path.parent}: {error}."
        ) from error


class _Transfer:
    """One file on its way. An OSError that leaves it is the disk's, not the network's."""

    def __init__(
        self,
        remote: RemoteFile,
        partial_path: Path,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self.remote, self.partial_path = remote, partial_path
        self.progress, self.cancel = progress, cancel
        self.is_resumed = self._num_have() > 0
        self._started_s, self._num_before = time.monotonic(), self._num_have()
        self._reported_s = 0.0

    def run(self) -> bool:
        """Until all bytes are there. Returns whether they are the right ones."""
        num_tries = 0
        while True:
            num_have = self._num_have()
            try:
                with self._open(num_have) as response:
                    if self._receive(response, num_have):
                        break
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 416 and num_have:  # nothing lies beyond what is here
                    break
                raise self._refused(error) from error
            except (_NetworkError, urllib.error.URLError, http.client.HTTPException) as error:
                failure: Exception | None = error
            else:
                failure = None  # the connection was closed too early
            num_tries = 0 if self._num_have() > num_have else num_tries + 1
            if num_tries >= MAX_TRIES:
                raise self._unreachable() from failure
            self._pause(num_tries)
        return self.remote.is_at(self.partial_path)

    def _num_have(self) -> int:
        return self.partial_path.stat().st_size if self.partial_path.exists() else 0

    def _open(self, num_have: int) -> http.client.HTTPResponse:
        self.cancel.check()
        headers = {"User-Agent": f"Singalike/{__version__}", "Accept-Encoding": "identity"}
        if num_have:
            headers["Range"] = f"bytes={num_have}-"
        request = urllib.request.Request(self.remote.url, headers=headers)
        try:
            response: http.client.HTTPResponse = _opener().open(request, timeout=TIMEOUT_S)
        except urllib.error.URLError:
            raise
        except OSError as error:
            raise _NetworkError from error
        return response

    def _receive(self, response: http.client.HTTPResponse, num_have: int) -> bool:
        """Append what comes. Returns whether that was all."""
        begins_at_ours = response.headers.get("Content-Range", "").startswith(f"bytes {num_have}-")
        is_appended = response.status == http.HTTPStatus.PARTIAL_CONTENT and begins_at_ours
        num_done = num_have if is_appended else 0
        num_coming = response.length
        num_total = num_done + num_coming if num_coming is not None else self.remote.size_bytes
        max_bytes = round(MAX_SIZE_RATIO * self.remote.size_bytes) + MAX_EXTRA_BYTES
        if num_total > max_bytes:
            raise self._too_large()
        self._check_room(num_total - num_done)
        with self.partial_path.open("ab" if is_appended else "wb") as file:
            while chunk := self._read(response):
                self.cancel.check()
                if num_done + len(chunk) > max_bytes:
                    raise self._too_large()
                file.write(chunk)
                num_done += len(chunk)
                self._report(num_done, num_total)
        return num_coming is None or num_done == num_total

    @staticmethod
    def _read(response: IO[bytes]) -> bytes:
        try:
            return response.read(CHUNK_BYTES)
        except OSError as error:
            raise _NetworkError from error

    def _check_room(self, num_bytes: int) -> None:
        num_free = shutil.disk_usage(self.partial_path.parent).free
        if num_bytes > num_free:
            raise DownloadError(
                f"There is no room for {self.remote.name}: it needs {num_bytes / MB:.0f} MB more, "
                f"and {self.partial_path.parent} has {num_free / MB:.0f} MB. Free some, then "
                "start again."
            )

    def _report(self, num_done: int, num_total: int) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s < PROGRESS_INTERVAL_S and num_done < num_total:
            return
        self._reported_s = now_s
        rate = max(1, num_done - self._num_before) / max(1e-3, now_s - self._started_s)
        self.progress(
            Progress(
                "download",
                num_done=round(num_done / MB),
                num_total=round(num_total / MB),
                eta_s=(num_total - num_done) / rate,
                message=f"MB of {self.remote.name}",
            )
        )

    def _pause(self, num_tries: int) -> None:
        """Longer after each try in vain, in steps in which a request to stop is heard."""
        for _ in range(4 * num_tries):
            self.cancel.check()
            time.sleep(0.1)

    def _too_large(self) -> DownloadError:
        self.partial_path.unlink(missing_ok=True)
        return DownloadError(
            f"What {self.remote.url} gives is larger than the file that was published. Nothing was "
            "installed. Try again later, or fetch the file elsewhere and name it."
        )

    def _refused(self, error: urllib.error.HTTPError) -> DownloadError:
        return DownloadError(
            f"{self.remote.url} cannot be had: the server answers {error.code} {error.reason}. "
            "Try again later, or fetch the file elsewhere and name it."
        )

    def _unreachable(self) -> DownloadError:
        kept = " What has arrived is kept, and the next try goes on from there."
        return DownloadError(
            f"{self.remote.url} cannot be reached. Is this computer online?"
            f"{kept if self._num_have() else ''} You can also fetch the file on another computer "
            "and name it."
        )


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
                f"{req.full_url} sends elsewhere, and not over https: nothing was fetched. Try "
                "again later, or fetch the file elsewhere and name it."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers of urllib for files and FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _OnlyHttps(),
    ):
        opener.add_handler(handler)
    return opener


def _is_safe(url: str) -> bool:
    """https; within this machine, where nobody else listens, also http."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")


class _NetworkError(Exception):
    """A broken or silent connection, told apart from errors of the disk."""
