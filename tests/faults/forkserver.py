"""Real processes for real faults, a few milliseconds each.

``ForkServer`` starts one process that imports the whole pipeline and computes nothing, so that no
pool of threads gets lost in a fork. It forks a child for each job, and kills it (SIGKILL) at the
moment that the test asks for.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

TESTS_PATH = Path(__file__).parent.parent


@dataclass(frozen=True)
class Moment:
    """When to kill: so long after the job has begun its n-th SQL statement (0: has started)."""

    num_statements: int
    delay_s: float


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        code: exit status; -9 where it was killed.
        num_statements: SQL statements that it had begun.
    """

    code: int
    out: str
    err: str
    num_statements: int
    seconds: float

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class ForkServer:
    """The test's end. ``run`` may be called from one thread only.

    ``temporary``: the folder that its jobs, and nobody else, have for what is temporary.
    """

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        paths = os.pathsep.join((str(TESTS_PATH), str(TESTS_PATH.parent)))
        own = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TMPDIR": str(temporary)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.forkserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **own},
        )

    def run(self, job: str, *arguments: object, kill: Moment | None = None) -> Outcome:
        """A function of ``faults.jobs``, by its name, in a process of its own."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {
            "job": job,
            "arguments": [str(argument) for argument in arguments],
            "kill": None if kill is None else asdict(kill),
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server died"
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        self._process.communicate()


def _serve() -> None:
    from faults import jobs

    replies = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        request = json.loads(line)
        kill = request["kill"] and Moment(**request["kill"])
        job = getattr(jobs, request["job"])
        outcome = _fork(lambda job=job, given=request["arguments"]: job(*given), kill)
        replies.write(json.dumps(asdict(outcome)) + "\n")


def _fork(work: Callable[[], Any], kill: Moment | None) -> Outcome:
    begun = time.monotonic()
    beats, beat = os.pipe()  # a byte per statement; its end when the child has ended
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        pid = os.fork()
        if pid == 0:
            os.close(beats)
            _be_child(work, beat, out, err)
        os.close(beat)
        num_statements = _watch(pid, beats, kill)
        os.close(beats)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = [file.seek(0) or file.read() for file in (out, err)]
    return Outcome(code, *texts, num_statements, time.monotonic() - begun)


def _watch(pid: int, beats: int, kill: Moment | None) -> int:
    """Count the child's statements; kill it when its moment has come."""
    num_statements, due = 0, None
    if kill is not None and kill.num_statements == 0:
        due = time.monotonic() + kill.delay_s
    while True:
        wait_s = None if due is None else max(0.0, due - time.monotonic())
        if not select.select([beats], [], [], wait_s)[0]:
            os.kill(pid, signal.SIGKILL)
            due = None
            continue
        found = len(os.read(beats, 4096))
        if not found:
            return num_statements
        num_statements += found
        if kill is not None and num_statements - found < kill.num_statements <= num_statements:
            due = time.monotonic() + kill.delay_s


def _be_child(work: Callable[[], Any], beat: int, out: IO[str], err: IO[str]) -> None:
    """Never returns."""
    code = 1
    try:
        for number, file in ((1, out), (2, err)):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        _tell_statements(beat)
        work()
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell_statements(beat: int) -> None:
    connect = sqlite3.connect

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda statement: os.write(beat, b".") and None)
        return connection

    sqlite3.connect = connect_traced


if __name__ == "__main__":
    _serve()
