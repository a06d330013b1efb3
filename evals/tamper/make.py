"""Makes the tamper test: `python evals/tamper/make.py [CORPORA]`.

Without an argument it writes `knowledge.development.jsonl` and `knowledge.test.jsonl` beside this file, from
the documents in knowledge/. With the folder of the corpora (the one that holds medquad/) it writes the
rows made from them to a folder of their own, `--out`, because those texts are not to be copied
into the project; `frozen.json` holds the digests of all four files, and a run that gives others says so.

Each row is what `curio claims` takes, with its class and whether it should be `supported` or `withheld`:
a real sentence of a document, its paragraph as the evidence, and one fault of a known kind in it. A document
belongs to one half for good, by a digest of its id. The faithful rewrites were written by hand, one
at a time, and stand in `rewrites.jsonl`; those of the corpora name their sentence by a digest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

from corruptions import CORRUPTIONS, LEAKS, Corruption

from curio_rag.adapters.folder import FolderSource
from curio_rag.adapters.sentences import sentence_spans
from curio_rag.domain.sources import BlockKind, Document, Span

HERE = Path(__file__).parent
KNOWLEDGE = HERE.parent.parent / "knowledge"
SEED = "tamper 1"
SPLITS = ("development", "test")
MOST_OF_A_CLASS = {"knowledge": 60, "medquad": 100}
MOST_OF_A_DOCUMENT = {"knowledge": 8, "medquad": 2}
DOCUMENTS_OF_A_CORPUS = 1200
SHORTEST, LONGEST, LONGEST_EVIDENCE = 40, 260, 1500
MOST_SHARED = 0.75
"""A passage in which one sentence holds this part of the words may support the claim, so it is no "other" passage."""

Row: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence of a document with the paragraph (for an item of a list, the list) that it stands in."""

    document: Document
    span: Span
    evidence: Span

    @property
    def text(self) -> str:
        return " ".join(self.span.of(self.document.text).split())

    @property
    def paragraph(self) -> str:
        return self.evidence.of(self.document.text)

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.document.id}\n{self.text}".encode()).hexdigest()[:16]


def split_of(document_id: str) -> str:
    """The half to which a document belongs."""
    return SPLITS[hashlib.sha256(f"{SEED} {document_id}".encode()).digest()[0] % 2]


def read_documents(folder: Path, *, most: int | None = None) -> tuple[Document, ...]:
    """The documents below a folder; of a large corpus a fixed sample, by the digest of the id."""
    source = FolderSource(max_bytes=50_000_000)
    listed = [file for file in source.list([folder]) if file.skip is None and file.document_id != "README.md"]
    if most is not None:
        listed.sort(key=lambda file: hashlib.sha256(f"{SEED} {file.document_id}".encode()).digest())
    return tuple(source.read(source.load(file)) for file in listed[:most])


def claims_of(document: Document) -> Iterator[Claim]:
    """The sentences of a document that state something, each with its evidence."""
    lead: Span | None = None
    items: list[Span] = []

    def of_items() -> Iterator[Claim]:
        if items:
            whole = Span(start=(lead or items[0]).start, end=items[-1].end)
            for item in items:
                yield from _sentences(document, item, whole)

    for block in document.blocks:
        if block.kind in (BlockKind.BULLET, BlockKind.STEP):
            items.append(block.span)
            continue
        yield from of_items()
        items, lead = [], None
        if block.kind is BlockKind.PARAGRAPH:
            lead = block.span
            yield from _sentences(document, block.span, block.span)
    yield from of_items()


def _sentences(document: Document, within: Span, evidence: Span) -> Iterator[Claim]:
    if evidence.end - evidence.start > LONGEST_EVIDENCE:
        return
    for found in sentence_spans(within.of(document.text)):
        span = Span(start=within.start + found.start, end=within.start + found.end)
        text = span.of(document.text)
        if SHORTEST <= len(text) <= LONGEST and text[0].isalpha() and text[-1] == ".":
            yield Claim(document=document, span=span, evidence=evidence)


def corrupted_rows(name: str, claims: Sequence[Claim], corruptions: Sequence[Corruption]) -> Iterator[Row]:
    """For each class, sentences in a fixed random order until there are enough, few of any one document."""
    for corruption in corruptions:
        random = Random(f"{SEED} {name} {corruption.name}")

        def make(
            claim: Claim, *, random: Random = random, apply: Callable[[str, Random], list[str]] = corruption.apply
        ) -> Row | None:
            variants = [
                text
                for text in apply(claim.text, random)
                if _plain(text) not in _plain(claim.paragraph) and _plain(text) != _plain(claim.text)
            ]
            return _row(claim, random.choice(variants), evidence=claim.paragraph) if variants else None

        yield from _enough(name, corruption.name, claims, random, make)


def _enough(
    name: str, kind: str, claims: Sequence[Claim], random: Random, make: Callable[[Claim], Row | None]
) -> Iterator[Row]:
    made = 0
    of_document: dict[str, int] = {}
    order = sorted(claims, key=lambda claim: hashlib.sha256(f"{SEED} {kind} {claim.digest}".encode()).digest())
    for claim in order:
        if made == MOST_OF_A_CLASS[name] or of_document.get(claim.document.id, 0) == MOST_OF_A_DOCUMENT[name]:
            if made == MOST_OF_A_CLASS[name]:
                return
            continue
        row = make(claim)
        if row is not None:
            made += 1
            of_document[claim.document.id] = of_document.get(claim.document.id, 0) + 1
            label = "supported" if kind in ("verbatim", "rewrite") else "withheld"
            yield {"id": f"{name}-{kind}-{claim.digest}", "class": kind, "label": label, **row}


def _row(claim: Claim, text: str, *, evidence: str) -> Row:
    return {
        "text": text,
        "source": claim.text,
        "document_id": claim.document.id,
        "evidence": [{"title": claim.document.title, "text": evidence}],
    }


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w%£$°/]+", text.lower()))


def other_passage_rows(name: str, claims: Sequence[Claim]) -> Iterator[Row]:
    """True sentences under the evidence of another paragraph of the same document, or of the next document."""
    random = Random(f"{SEED} {name} citation")
    by_document: dict[str, list[Claim]] = {}
    for claim in claims:
        by_document.setdefault(claim.document.id, []).append(claim)

    def make(claim: Claim) -> Row | None:
        same = [each for each in by_document[claim.document.id] if each.evidence != claim.evidence]
        others = [each for each in (same or list(claims)) if not _may_support(each.paragraph, claim.text)]
        return _row(claim, claim.text, evidence=random.choice(others).paragraph) if others else None

    yield from _enough(name, "citation_other", claims, random, make)


def _may_support(paragraph: str, text: str) -> bool:
    words = set(re.findall(r"\w{4,}", text.lower()))
    return any(
        len(words & set(re.findall(r"\w{4,}", span.of(paragraph).lower()))) >= MOST_SHARED * len(words)
        for span in sentence_spans(paragraph)
    )


def invented_rows(claims: Sequence[Claim]) -> Iterator[Row]:
    """True sentences whose citation is made up: no such document, no such words, words of another document."""
    random = Random(f"{SEED} invented")

    def make(claim: Claim) -> Row | None:
        other = random.choice([each for each in claims if each.document.id != claim.document.id])
        words = claim.text.split()
        garbled = " ".join([*words[: len(words) // 2], "certainly", *words[len(words) // 2 :]])
        citation = random.choice(
            (
                {"document_id": "7", "quote": claim.text},
                {"document_id": "car-t-expert-review.pdf", "quote": claim.text},
                {"document_id": other.document.id, "quote": claim.text},
                {"document_id": claim.document.id, "quote": garbled},
                {"document_id": claim.document.id, "quote": other.text},
                {"document_id": claim.document.id, "quote": ""},
            )
        )
        if citation["quote"] and citation["document_id"] == other.document.id and claim.text in other.document.text:
            return None
        if citation["quote"] == other.text and other.text in claim.document.text:
            return None
        row = _row(claim, claim.text, evidence="")
        del row["evidence"]
        return {**row, "citations": [citation]}

    yield from _enough("knowledge", "citation_invented", claims, random, make)


def verbatim_rows(name: str, claims: Sequence[Claim]) -> Iterator[Row]:
    """The documents' own sentences; those of knowledge/ by turns with a citation and with their paragraph."""

    def make(claim: Claim) -> Row | None:
        row = _row(claim, claim.text, evidence=claim.paragraph)
        if name == "knowledge" and int(claim.digest, 16) % 2:
            del row["evidence"]
            quote = claim.span.of(claim.document.text)
            return {**row, "citations": [{"document_id": claim.document.id, "quote": quote}]}
        return row

    yield from _enough(name, "verbatim", claims, Random(SEED), make)


def rewrite_rows(name: str, claims: Sequence[Claim]) -> Iterator[Row]:
    """The rewrites by hand that belong to these claims."""
    by_digest = {claim.digest: claim for claim in claims}
    for line in (HERE / "rewrites.jsonl").read_text(encoding="utf-8").splitlines():
        rewrite = json.loads(line)
        claim = by_digest.get(rewrite["sentence"])
        if claim is not None:
            row = _row(claim, rewrite["text"], evidence=claim.paragraph)
            identity = hashlib.sha256(rewrite["text"].encode()).hexdigest()[:8]
            yield {"id": f"{name}-rewrite-{identity}", "class": "rewrite", "label": "supported", **row}


def rows_of(name: str, documents: Sequence[Document]) -> dict[str, list[Row]]:
    """All rows of a corpus, by half."""
    made: dict[str, list[Row]] = {}
    for split in SPLITS:
        claims = [claim for each in documents if split_of(each.id) == split for claim in claims_of(each)]
        made[split] = [
            *corrupted_rows(name, claims, CORRUPTIONS),
            *other_passage_rows(name, claims),
            *(invented_rows(claims) if name == "knowledge" else ()),
            *verbatim_rows(name, claims),
            *rewrite_rows(name, claims),
        ]
    return made


def leaks_of(name: str, documents: Sequence[Document]) -> dict[str, list[Row]]:
    """The rows of the classes in LEAKS, by half; made later than the others, which stay as they were frozen."""
    return {
        split: list(
            corrupted_rows(
                name, [claim for each in documents if split_of(each.id) == split for claim in claims_of(each)], LEAKS
            )
        )
        for split in SPLITS
    }


def write(name: str, rows: dict[str, list[Row]], folder: Path, frozen: dict[str, str]) -> dict[str, str]:
    """Writes both halves; the digest of each, with a line when it is not the frozen one."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for split, some in rows.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)
        file = f"{name}.{split}.jsonl"
        (folder / file).write_text(text, encoding="utf-8")
        digests[file] = hashlib.sha256(text.encode()).hexdigest()
        same = "as frozen" if frozen.get(file) == digests[file] else "NOT the frozen file"
        print(f"{folder / file}: {len(some)} rows, {same}")
    return digests


def main() -> None:
    """Writes the rows of knowledge/, or those of the corpora; `--freeze` records the digests."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", type=Path, nargs="?", help="the folder that holds medquad/")
    parser.add_argument("--out", type=Path, help="where the rows of the corpora go")
    parser.add_argument("--leaks", action="store_true", help="the classes designation, letter and turned alone")
    parser.add_argument("--freeze", action="store_true", help="record the digests in frozen.json")
    chosen = parser.parse_args()
    path = HERE / "frozen.json"
    frozen: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if chosen.corpora is None:
        documents = read_documents(KNOWLEDGE)
        if not chosen.leaks:
            digests = write("knowledge", rows_of("knowledge", documents), HERE, frozen)
        else:
            digests = write("knowledge.leaks", leaks_of("knowledge", documents), HERE, frozen)
    else:
        if chosen.out is None:
            parser.error("name a folder outside the project with --out: these texts are not to be copied into it")
        documents = read_documents(chosen.corpora / "medquad", most=DOCUMENTS_OF_A_CORPUS)
        if not chosen.leaks:
            digests = write("medquad", rows_of("medquad", documents), chosen.out, frozen)
        else:
            digests = write("medquad.leaks", leaks_of("medquad", documents), chosen.out, frozen)
    if chosen.freeze:
        path.write_text(json.dumps(dict(sorted({**frozen, **digests}.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
