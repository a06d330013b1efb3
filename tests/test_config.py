"""Settings are read strictly: what is unknown or malformed is named with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from curio_rag.config import Config, load_config
from curio_rag.errors import ConfigError


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_without_files_the_defaults_hold(tmp_path: Path) -> None:
    """By default only vetted documents are admitted and nothing reaches outside."""
    config = load_config(tmp_path, environment={})
    assert config == Config(folder=tmp_path)
    assert config.admit == ("vetted",)


def test_a_variable_wins_over_curio_toml_and_that_over_pyproject(tmp_path: Path) -> None:
    """The nearer place wins."""
    write(tmp_path, "pyproject.toml", '[tool.curio]\nassistant = "P"\nindex = "p"\nmodel = "p"\n')
    write(tmp_path, "curio.toml", 'assistant = "T"\nindex = "t"\n')
    config = load_config(tmp_path, environment={"CURIO_ASSISTANT": "E"})
    assert (config.assistant, config.index, config.model) == ("E", "t", "p")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('asistant = "A"', "assistant"),
        ("admit = []", "admit"),
        ('admit = ["signed"]', "signed"),
        ('search = "fast"', "exact"),
        ("assistant = 3", "assistant"),
        ("max_file_bytes = 0", "above 0"),
        ('country = "USA"', "two-letter"),
        ("index = ", "curio.toml"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    """An unknown key, a wrong type or a broken file is refused with the name of what is wrong."""
    write(tmp_path, "curio.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, environment={})
    assert named in str(caught.value)


def test_bad_variables_are_named(tmp_path: Path) -> None:
    """A variable with an unknown name or a wrong value is refused by its own name."""
    with pytest.raises(ConfigError, match="CURIO_MODLE"):
        load_config(tmp_path, environment={"CURIO_MODLE": "x"})
    with pytest.raises(ConfigError, match="CURIO_MAX_FILE_BYTES"):
        load_config(tmp_path, environment={"CURIO_MAX_FILE_BYTES": "many"})


def test_a_list_in_a_variable_is_split_at_commas(tmp_path: Path) -> None:
    """`CURIO_ADMIT=vetted,sample` admits both."""
    assert load_config(tmp_path, environment={"CURIO_ADMIT": "vetted, sample"}).admit == ("vetted", "sample")


def test_the_digest_covers_what_can_change_an_answer(tmp_path: Path) -> None:
    """Another name or admission gives another digest; another folder does not."""
    plain = Config(folder=tmp_path)
    assert plain.digest() == Config(folder=tmp_path / "elsewhere", index="other").digest()
    assert plain.digest() != Config(folder=tmp_path, admit=("vetted", "sample")).digest()
    assert plain.digest() != Config(folder=tmp_path, assistant="Bea").digest()
