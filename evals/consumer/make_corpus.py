"""Writes the set of consumers' questions as a folder in BEIR style, with entries cut from the MedQuAD documents.

    python evals/consumer/make_corpus.py ../shared/corpora/medquad OUT [--split development|test]
                                         [--kind own|summary|all]

OUT gets corpus.jsonl (3,000 entries, one for each answered question of the documents in documents.tsv, the same
for every split), queries.jsonl and qrels/test.tsv. The default is the development half, 80 questions in the
consumer's own words and 80 summaries. The test half is for one report at the end: nothing is fitted on it.
An entry's id is the site, the document and the section, as in `niddk-0000042-08`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

HERE = Path(__file__).parent


def sections(document: str, text: str) -> Iterator[dict[str, object]]:
    """The entries of a document: id, its own question as the title, the answer, and the document's names."""
    front, body = text.removeprefix("---\n").split("\n---\n", 1)
    metadata = yaml.safe_load(front)
    names = dict.fromkeys(name for name in (metadata["title"], *metadata.get("synonyms", [])) if name)
    for number, section in enumerate(("\n" + body).split("\n## ")[1:], start=1):
        heading, _, answer = section.partition("\n")
        yield {
            "_id": f"{document.replace('/', '-')}-{number:02d}",
            "title": heading.strip(),
            "text": answer.strip(),
            "metadata": {"synonyms": list(names)},
        }


def documents() -> list[str]:
    """The names of the documents in the set, as documents.tsv lists them."""
    lines = (HERE / "documents.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def corpus(folder: Path) -> list[dict[str, object]]:
    """All entries of the set. Raises `SystemExit` that names a document which is not there."""
    entries: list[dict[str, object]] = []
    for name in documents():
        path = folder / f"{name}.md"
        if not path.is_file():
            raise SystemExit(f"{path} is not there: give the folder that holds cancergov, cdc, gard and the others.")
        entries.extend(sections(name, path.read_text(encoding="utf-8")))
    return entries


def queries(*, split: str, kind: str) -> list[dict[str, object]]:
    """The chosen queries, in the order of the file."""
    lines = (HERE / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [each for each in found if each["metadata"]["split"] == split and kind in (each["metadata"]["kind"], "all")]


def write(folder: Path, out: Path, *, split: str, kind: str) -> None:
    """Writes the three files of the set."""
    chosen = queries(split=split, kind=kind)
    ids = {each["_id"] for each in chosen}
    header, *judgements = (HERE / "qrels.tsv").read_text(encoding="utf-8").splitlines()
    kept = [header, *(line for line in judgements if line.split("\t")[0] in ids)]
    (out / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus.jsonl", corpus(folder)), ("queries.jsonl", chosen)):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (out / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "qrels" / "test.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")


def main() -> None:
    """Reads the arguments and writes the set."""
    parser = argparse.ArgumentParser(description="Writes the consumers' questions as a set in BEIR style.")
    parser.add_argument("corpora", type=Path, help="the folder with the MedQuAD documents")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--split", choices=("development", "test"), default="development")
    parser.add_argument("--kind", choices=("own", "summary", "all"), default="all")
    given = parser.parse_args()
    write(given.corpora, given.out, split=given.split, kind=given.kind)


if __name__ == "__main__":
    main()
