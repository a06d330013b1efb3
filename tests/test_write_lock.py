"""The lock for writing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from curio_rag.adapters.write_lock import lock_holder, write_lock
from curio_rag.errors import IndexLocked, IndexProblem

HOLD = """
import sys, time
from pathlib import Path
from curio_rag.adapters.write_lock import write_lock
with write_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold_elsewhere(folder: Path) -> subprocess.Popen[bytes]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.stdout.close()
    return holder


def test_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    """While another process writes, the refusal names it; once it is killed the lock is free at once."""
    holder = hold_elsewhere(tmp_path)
    try:
        with pytest.raises(IndexLocked) as refusal, write_lock(tmp_path):
            pass
        assert f"process {holder.pid} on " in str(refusal.value)
        assert "since 20" in str(refusal.value)
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with write_lock(tmp_path):
        held = lock_holder(tmp_path)
        assert held is not None
        assert held.pid == os.getpid()


def test_lock_excludes_the_same_process_too(tmp_path: Path) -> None:
    """Two writers in one process exclude each other, and the second one's failure leaves the first its lock."""
    with write_lock(tmp_path):
        for _ in range(2):
            with pytest.raises(IndexLocked, match=f"process {os.getpid()}"), write_lock(tmp_path):
                pass
    with write_lock(tmp_path):
        pass


def test_lock_is_released_by_an_error(tmp_path: Path) -> None:
    """What fails while it holds the lock lets go of it and leaves no holder's name behind."""
    with pytest.raises(RuntimeError), write_lock(tmp_path):
        raise RuntimeError
    assert lock_holder(tmp_path) is None
    with write_lock(tmp_path):
        pass


def test_dead_holder_is_not_blamed(tmp_path: Path) -> None:
    """A holder's file that a killed process left behind is never shown as the one who writes now."""
    holder = hold_elsewhere(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    stale = (tmp_path / "write.lock.json").read_bytes()
    with write_lock(tmp_path):
        (tmp_path / "write.lock.json").write_bytes(stale)
        with pytest.raises(IndexLocked, match="another process"), write_lock(tmp_path):
            pass


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A folder that cannot be written gives an error that names it."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(IndexProblem, match="file"), write_lock(tmp_path / "file" / "index"):
        pass
