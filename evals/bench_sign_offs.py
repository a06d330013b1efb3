"""How long signing and checking take, and how many tamperings of each kind the audit finds.

    python -m evals.bench_sign_offs [--tries 200] [--answers 200]

Everything happens in a temporary folder, with the fixtures of the tests: keys that protect nothing, reviewers who
are nobody. "Knowing" means that the digests of the chain were computed again after the tampering.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import furnished, with_gout
from tests.desk import PASSPHRASE, Bench
from tests.test_audit import KINDS, SEED, rewritten, work

from curio_rag.adapters.signing import COST, KeyVault, SigningKey, verify_signature
from curio_rag.domain.events import Event
from curio_rag.pipelines.audit import verify


def milliseconds(action: Callable[[], object], *, times: int) -> float:
    """The mean of some runs."""
    started = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - started) / times * 1000


def print_times(bench: Bench, answers: int) -> None:
    """Signing alone, checking alone, a whole approval, the status of an answer, an audit of everything."""
    key, message = SigningKey.new(), b"x" * 10_000
    signature = key.sign(message)
    print(f"sign 10 kB                        {milliseconds(lambda: key.sign(message), times=500):8.2f} ms")
    check = milliseconds(lambda: verify_signature(key.public_key, message, signature), times=500)
    print(f"check a signature over 10 kB      {check:8.2f} ms")
    with tempfile.TemporaryDirectory() as place:
        vault = KeyVault(folder=Path(place), cost=COST)
        made = vault.make("r_1", PASSPHRASE)
        opening = milliseconds(lambda: vault.unlock(made.key_id, PASSPHRASE), times=3)
    print(f"open a key with its passphrase    {opening:8.0f} ms")
    ids = [bench.ask(f"Is gout a painful swelling of joint {number}?").answer.id for number in range(answers)]
    confirms = [bench.confirm(answer_id) for answer_id in ids]
    one = bench.reviewer("Test Reviewer Three")
    started = time.perf_counter()
    for answer_id, confirm in zip(ids, confirms, strict=True):
        bench.desk.approve(one, answer_id, confirm=confirm)
    print(f"approve, gate and ledger included {(time.perf_counter() - started) / answers * 1000:8.1f} ms")
    print(f"status of one approved answer     {milliseconds(lambda: bench.desk.record(ids[0]), times=50):8.1f} ms")
    started = time.perf_counter()
    report = bench.desk.audit()
    seconds = time.perf_counter() - started
    counts = f"{report.events} events, {report.signatures} signatures, {len(report.findings)} findings"
    print(f"audit of {counts}: {seconds:.2f} s")


def print_tamperings(events: list[Event], bench: Bench, tries: int) -> None:
    """Found of tried, by kind: clumsy and knowing, with and without a head that was exported before."""
    head = bench.desk.head()
    print(f"\n{tries} of each kind on {len(events)} events; found:")
    print(f"{'kind':12} {'clumsy':>8} {'clumsy, head':>13} {'knowing':>8} {'knowing, head':>14}")
    for kind, tamper in KINDS.items():
        chance = random.Random(SEED)
        found = [0, 0, 0, 0]
        tried = 0
        while tried < tries:
            clumsy = tamper(events, chance)
            knowing = rewritten(clumsy)
            if knowing == events:
                # The digests alone were changed, and computing them again undid it.
                continue
            tried += 1
            for number, (chain, known) in enumerate(((clumsy, None), (clumsy, head), (knowing, None), (knowing, head))):
                found[number] += bool(verify(chain, None, check=verify_signature, head=known).findings)
        print(f"{kind:12} {found[0]:8} {found[1]:13} {found[2]:8} {found[3]:14}")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description="Times of signing, and tamperings found.")
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--answers", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(with_gout(furnished(Path(place))))
        work(bench)
        print_tamperings(list(bench.desk.export()), bench, options.tries)
        bench.base.close()
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(with_gout(furnished(Path(place))))
        bench.base.ingest()
        bench.vet(bench.reviewer(), "gout.md")
        print()
        print_times(bench, options.answers)
        bench.base.close()


if __name__ == "__main__":
    main()
