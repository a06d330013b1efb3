"""The generations of one index folder: built aside, verified, and swapped in by one rename of a pointer.

    CURRENT                         the number of the current generation
    generations/<n>/                passages.*, text.f32, title.*, heading.*, keywords.sqlite3, chroma/, manifest.json
    generations/.building-<n>-<pid>/   one that is being built, or was when its process died
    generations/.removing-<n>-<pid>/   one that is being removed

A published generation is never modified (Chroma's own files apart, which it changes on opening).
A crash at any instruction leaves the old generation current or the new one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from curio_rag.adapters.chroma_index import CHROMA_FOLDER
from curio_rag.adapters.chroma_process import build_in_child, verify_in_child
from curio_rag.adapters.keyword_index import KEYWORD_FILE, KeywordIndex, KeywordWriter
from curio_rag.adapters.manifest import (
    MANIFEST_FILE,
    REPAIR,
    Manifest,
    digest_problems,
    read_manifest,
    record_files,
    sync_folder,
    sync_tree,
    write_durably,
)
from curio_rag.adapters.matrix import Matrix, MatrixWriter
from curio_rag.adapters.pinned_generation import PinnedGeneration
from curio_rag.domain.digests import canonical_json
from curio_rag.errors import IndexDamaged, IndexMissing, IndexProblem
from curio_rag.ports import GenerationStore, IndexEntry

CROSSOVER = 300_000
"""From how many passages on `auto` asks Chroma.

Measured on two cores with random unit vectors of 384 dimensions, milliseconds for the 50 nearest, scan
and Chroma: 10,000: 1.2 and 4.0; 100,000: 8.9 and 4.8; 300,000: 29 and 6.2. Chroma is quicker somewhere
below 100,000, but a process pays for it with a second of CPU to import it and more to verify and load
it, and its recall was .95, .50 and .33 for queries close to a passage, where the scan's is 1. (Random
vectors are the hardest case for its graph; among 30,000 clustered ones it missed none.) So the
scan serves for as long as nobody feels it.
"""
POINTER = "CURRENT"

_BATCH = 512
_ASIDE = re.compile(r"\.(?:building|removing)-\d+-(\d+)")

Load = Callable[[Sequence[str]], Iterable[IndexEntry]]
Report = Callable[[str, int, int], None]


class Generations(GenerationStore):
    """The generations under one folder; readers may share it between threads and use it after a fork.

    `search` is `auto` (Chroma from `crossover` passages on, the exact scan below), `exact` (Chroma
    is neither asked nor built) or `chroma`. Publishing assumes that the caller holds `write_lock`.
    """

    def __init__(
        self, folder: Path, *, search: Literal["auto", "exact", "chroma"] = "auto", crossover: int = CROSSOVER
    ) -> None:
        self._folder = folder
        self._generations = folder / "generations"
        self._search = search
        self._crossover = crossover
        self._pinned: tuple[str, PinnedGeneration] | None = None
        self._locks: dict[int, threading.Lock] = {}

    def current(self) -> PinnedGeneration:
        """The generation that the pointer names, opened once and kept until it names another.

        Raises `IndexMissing` when nothing was ever published and `IndexDamaged` naming the file.
        """
        name = self._read_pointer()
        pinned = self._pinned
        if pinned is not None and pinned[0] == name:
            return pinned[1]
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            name = self._read_pointer()
            if self._pinned is None or self._pinned[0] != name:
                self._pinned = self._open(name)
            return self._pinned[1]

    def publish(
        self,
        passage_ids: Sequence[str],
        load: Load,
        *,
        configuration: str,
        report: Report | None = None,
    ) -> int:
        """Build, verify and swap in the generation of exactly these passages, and give its number.

        What the last generation holds is taken from it, once its digests have been checked; the
        rest comes from `load`, in batches. When nothing differs and the last one is whole, it stays.
        """
        wanted = sorted(set(passage_ids))
        last = self._last(configuration)
        if last is not None and self._serves(last, wanted):
            self._sweep()
            return last.generation
        number = 1 + max([0, *self._numbers()])
        building = self._generations / f".building-{number}-{os.getpid()}"
        try:
            # In a container the process that left this may have had the number of this one.
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True)
            self._build(building, number, wanted, load, configuration, last, report or _silent)
            previous = self._pointed()
            self._swap_in(building, number)
        except (OSError, UnicodeError) as error:
            raise IndexProblem(
                f"the next generation of {self._folder} could not be written: {error}.",
                hint="The one before stays current; check permissions and free space, then run `curio ingest` again.",
            ) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
        self._prune({number, previous})
        return number

    def problems(self) -> Iterator[str]:
        """What is wrong with the current generation, one sentence each; reads and compares everything."""
        yield from self._leftovers()
        try:
            folder = self._generations / self._read_pointer()
        except IndexProblem as error:
            yield str(error)
            return
        if not folder.is_dir():
            yield f"{self._folder / POINTER} names generation {folder.name}, which is missing. {REPAIR}"
            return
        try:
            manifest = read_manifest(folder)
        except FileNotFoundError:
            yield f"{folder / MANIFEST_FILE} is missing. {REPAIR}"
            return
        except IndexProblem as error:
            yield str(error)
            return
        files = list(digest_problems(folder, manifest))
        yield from (f"{problem}. {REPAIR}" for problem in files)
        if files:
            return
        yield from (f"{problem}. {REPAIR}" for problem in _disagreements(folder, manifest))
        if not manifest.chroma and self._search != "exact":
            yield f"{folder} was published without Chroma, which was not sound. The exact scan serves instead. {REPAIR}"
        if manifest.chroma:
            for problem in _verify_chroma(folder, manifest):
                yield f"{folder / CHROMA_FOLDER}: {problem}. The exact scan serves instead. {REPAIR}"

    def _open(self, name: str) -> tuple[str, PinnedGeneration]:
        """Open what the pointer names; when a publisher removed it meanwhile, what it names now."""
        while True:
            folder = self._generations / name
            try:
                manifest = read_manifest(folder)
                chroma = self._search == "chroma" or (self._search == "auto" and manifest.passages >= self._crossover)
                return name, PinnedGeneration(folder, manifest, ask_chroma=chroma)
            except (OSError, IndexDamaged) as error:
                latest = self._read_pointer()
                if latest != name:
                    name = latest
                elif isinstance(error, IndexDamaged):
                    raise
                else:
                    raise IndexDamaged(f"generation {name} cannot be opened: {error}.", hint=REPAIR) from error

    def _read_pointer(self) -> str:
        path = self._folder / POINTER
        try:
            name = path.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            raise IndexMissing(f"{self._folder} holds no index yet.", hint="Run `curio ingest` first.") from None
        except OSError as error:
            raise IndexDamaged(f"{path} cannot be read: {error.strerror}.", hint=REPAIR) from error
        if not re.fullmatch(r"[0-9]{1,18}", name):
            raise IndexDamaged(f"{path} does not name a generation.", hint=REPAIR)
        return name

    def _pointed(self) -> int:
        try:
            return int(self._read_pointer())
        except IndexProblem:
            return 0

    def _numbers(self) -> list[int]:
        if not self._generations.is_dir():
            return []
        return [int(entry.name) for entry in self._generations.iterdir() if entry.name.isdecimal()]

    def _last(self, configuration: str) -> Manifest | None:
        """The current generation's manifest when it can be built upon: same configuration, every byte as written."""
        number = self._pointed()
        try:
            manifest = read_manifest(self._generations / str(number))
        except (OSError, IndexProblem):
            return None
        if manifest.configuration != configuration or any(digest_problems(self._generations / str(number), manifest)):
            return None
        return manifest

    def _serves(self, last: Manifest, wanted: list[str]) -> bool:
        """Whether the last generation is already what is asked for, with Chroma where it belongs."""
        folder = self._generations / str(last.generation)
        if Matrix(folder, dimensions=last.dimensions).ids.all() != wanted:
            return False
        if any(_disagreements(folder, last)):
            return False
        return self._search == "exact" or (last.chroma and not _verify_chroma(folder, last))

    def _build(
        self,
        building: Path,
        number: int,
        wanted: list[str],
        load: Load,
        configuration: str,
        last: Manifest | None,
        report: Report,
    ) -> None:
        """Write every part of a generation into a folder aside, verify it and bring it to the disk."""
        source = self._generations / str(last.generation) if last is not None else None
        previous = Matrix(source, dimensions=last.dimensions) if source is not None and last is not None else None
        gone = sorted(set(previous.ids.all()).difference(wanted)) if previous is not None else []
        churn = (last.churn if last is not None else 0) + len(gone)
        afresh = last is None or churn > max(1_000, len(wanted) // 2)
        writer = _write_passages(
            building, wanted, gone, load, source=source, previous=previous, compact=afresh, report=report
        )
        manifest = Manifest(
            generation=number,
            passages=len(wanted),
            dimensions=writer.dimensions,
            configuration=configuration,
            files=record_files(building),
            chroma=self._search != "exact",
            churn=0 if afresh else churn,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        (building / MANIFEST_FILE).write_bytes(canonical_json(manifest.to_dict()) + b"\n")
        problems = list(_disagreements(building, manifest))
        if manifest.chroma and not problems:
            base = source if last is not None and last.chroma and not afresh else None
            problems = _build_chroma(building, manifest, base, report)
            if problems and self._search == "auto":
                # Chroma is a cache: the scan serves without it, `problems` says so, the next publish tries again.
                shutil.rmtree(building / CHROMA_FOLDER, ignore_errors=True)
                without = replace(manifest, chroma=False)
                (building / MANIFEST_FILE).write_bytes(canonical_json(without.to_dict()) + b"\n")
                problems = []
        if problems:
            raise IndexDamaged(f"the new generation is not sound: {problems[0]}.", hint="Run `curio ingest` again.")
        sync_tree(building)

    def _swap_in(self, building: Path, number: int) -> None:
        building.rename(self._generations / str(number))
        sync_folder(self._generations)
        write_durably(self._folder / POINTER, f"{number}\n".encode())

    def _prune(self, kept: set[int]) -> None:
        """Remove older generations and ones that were never pointed to; a later publishing removes what stays."""
        for number in set(self._numbers()) - kept:
            # Renamed first, so that no folder with a generation's name is ever half empty.
            aside = self._generations / f".removing-{number}-{os.getpid()}"
            with contextlib.suppress(OSError):
                (self._generations / str(number)).rename(aside)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what dead processes left."""
        for entry in self._abandoned():
            shutil.rmtree(entry, ignore_errors=True)

    def _abandoned(self) -> list[Path]:
        """Folders aside whose process is dead, or is this one, which has none in use by now."""
        if not self._generations.is_dir():
            return []
        return sorted(
            entry
            for entry in self._generations.iterdir()
            if (match := _ASIDE.fullmatch(entry.name))
            and (int(match[1]) == os.getpid() or not _is_alive(int(match[1])))
        )

    def _leftovers(self) -> Iterator[str]:
        for entry in self._abandoned():
            yield f"{entry} was left by a process that died. The next `curio ingest` removes it."


def _write_passages(
    building: Path,
    wanted: list[str],
    gone: list[str],
    load: Load,
    *,
    source: Path | None,
    previous: Matrix | None,
    compact: bool,
    report: Report,
) -> MatrixWriter:
    """Write matrix and keyword index, from the last generation's and what `load` gives for the ids that are new."""
    matrix = MatrixWriter(building, wanted, previous=previous)
    new = matrix.missing
    keywords = KeywordWriter(building / KEYWORD_FILE, previous=source / KEYWORD_FILE if source is not None else None)
    try:
        keywords.remove(gone)
        report("passages", 0, len(new))
        for start in range(0, len(new), _BATCH):
            entries = tuple(load(new[start : start + _BATCH]))
            matrix.add(entries)
            keywords.add(entries)
            report("passages", min(start + _BATCH, len(new)), len(new))
        if compact:
            keywords.compact()
        keywords.finish()
        matrix.finish()
    finally:
        keywords.close()
        matrix.close()
    return matrix


def _build_chroma(building: Path, manifest: Manifest, base: Path | None, report: Report) -> list[str]:
    """Build and verify Chroma, on a copy of the last one, or afresh where there is none or the copy proves damaged."""

    def build(previous: Path | None) -> list[str]:
        build_in_child(
            building,
            dimensions=manifest.dimensions,
            configuration=manifest.configuration,
            previous=previous,
            report=lambda done, total: report("chroma", done, total),
        )
        report("verify", 0, 1)
        problems = _verify_chroma(building, manifest)
        report("verify", 1, 1)
        return problems

    if base is not None:
        with contextlib.suppress(IndexDamaged):
            if not build(base):
                return []
        shutil.rmtree(building / CHROMA_FOLDER, ignore_errors=True)
    try:
        return build(None)
    except IndexDamaged as error:
        return [error.message]


def _verify_chroma(folder: Path, manifest: Manifest) -> list[str]:
    return verify_in_child(folder, dimensions=manifest.dimensions, configuration=manifest.configuration)


def _disagreements(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Where matrix, keyword index and manifest do not speak of the same passages."""
    ids = Matrix(folder, dimensions=manifest.dimensions).ids.all()
    if len(ids) != manifest.passages:
        yield f"{folder} holds {len(ids)} passages instead of {manifest.passages}"
    try:
        words = KeywordIndex(folder / KEYWORD_FILE).passage_ids()
    except IndexDamaged as error:
        yield error.message.rstrip(".")
        return
    if words != ids:
        yield f"{folder / KEYWORD_FILE} holds {len(words)} passages that are not the matrix's {len(ids)}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Show no progress."""
