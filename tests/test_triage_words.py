"""Whose words of the emergency card come first, and whose must follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curio_rag.adapters.emergency_card import load_emergency_card
from curio_rag.adapters.triage_rules import BUNDLED, load_triage_rules
from curio_rag.domain.questions import Urgency
from curio_rag.domain.triage_rules import SignRule
from curio_rag.errors import ConfigError
from curio_rag.pipelines.triage import RuleTriage
from curio_rag.pipelines.triage_words import MOST_SAID, leading, said_groups

CARD = load_emergency_card()
TRIAGE = RuleTriage(CARD, load_triage_rules(), country="US")
DATA = Path(__file__).parents[1] / "src" / "curio_rag" / "data"
NOTHING_IN_THE_MOUTH = "put nothing in the mouth"


def rule(group: str, sign: str, *, yields_to: tuple[str, ...] = (), always_said: bool = False) -> SignRule:
    return SignRule(outcome=group, needs=((sign,),), reason="r", yields_to=yields_to, always_said=always_said)


def said(*rules: SignRule) -> tuple[str, ...]:
    mentioned = {sign for each in rules for need in each.needs for sign in need}
    return said_groups(rules, mentioned=mentioned, protected={"infant_child", "suicide_selfharm"})


def says(text: str, group: str) -> bool:
    """Whether every line of a group stands in the advice for a text."""
    return set(CARD.advice(group, country="US").splitlines()) <= set(TRIAGE.assess(text).advice.splitlines())


def test_a_rule_gives_way_only_to_a_rule_that_rests_on_the_sign() -> None:
    """A sign that is merely mentioned changes nothing; a rule of another group that needs it comes first alone."""
    speech = rule("stroke", "cant_speak", yields_to=("gasping",))
    assert said(speech, rule("breathing", "gasping")) == ("breathing",)
    assert said_groups([speech], mentioned={"cant_speak", "gasping"}, protected=()) == ("stroke",)


def test_rules_that_all_give_way_all_stand() -> None:
    """Two rules that name each other silence nobody: the order of the card decides."""
    one, other = rule("stroke", "a", yields_to=("b",)), rule("breathing", "b", yields_to=("a",))
    assert leading([one, other], mentioned={"a", "b"}) is one


def test_a_protected_group_that_gives_way_is_said_last() -> None:
    """Small children and suicide are never silenced, only put behind."""
    child = rule("infant_child", "child", yields_to=("teen",))
    assert said(child, rule("neuro_spine", "teen")) == ("neuro_spine", "infant_child")


def test_first_aid_follows_and_does_not_grow_without_end() -> None:
    """Words that are always said follow in the order of the card, up to a number that somebody can read."""
    groups = ("pregnancy", "breathing", "bleeding", "cardiac", "neuro_spine")
    rules = [rule(group, group, always_said=True) for group in groups]
    assert said(*rules) == groups[:MOST_SAID]
    assert said(*(replace(each, always_said=False) for each in rules)) == ("pregnancy",)


def test_what_was_swallowed_or_cut_comes_before_the_words_about_suicide() -> None:
    """The body cannot wait; the group stays suicide, and a danger that is not of the body comes after."""
    rules = [rule("suicide_selfharm", "s"), rule("bleeding", "b"), rule("breathing", "n", always_said=True)]
    assert said(*rules) == ("bleeding", "suicide_selfharm", "breathing")
    assert leading(rules, mentioned={"s", "b", "n"}).outcome == "suicide_selfharm"


def test_no_line_is_said_twice() -> None:
    """Groups that share a line, such as the call for an ambulance, share it in the advice."""
    advice = CARD.advice_of(("infant_child", "neuro_spine"), country="US").splitlines()
    assert advice.count("Call 911 now.") == 1
    assert CARD.advice_of(("stroke",), country=None) == CARD.advice("stroke", country=None)


@pytest.mark.parametrize(
    ("text", "group", "others", "silent"),
    [
        ("she is gasping and can't get three words out, her lips are blue", "breathing", (), ("stroke",)),
        ("my asthma is so bad that I can't finish a sentence", "breathing", (), ("stroke",)),
        ("her speech is slurred, her face droops and she can't breathe", "stroke", ("breathing",), ()),
        ("the girl next door (16) is having a seizure", "neuro_spine", (), ()),
        ("my toddler is having a seizure", "infant_child", ("neuro_spine",), ()),
        ("my daughter has something stuck in her throat and is choking", "infant_child", ("breathing",), ()),
        ("four days after Kymriah he had a seizure", "cart_crs_icans", ("neuro_spine",), ("stroke",)),
        ("my pregnant wife had a seizure", "pregnancy", ("neuro_spine",), ()),
        ("her sugar is 2.1 and her words are slurred", "metabolic_other", (), ("stroke",)),
        ("I hit my head, I take warfarin and the headache gets worse", "bleeding", (), ("stroke",)),
        ("worst headache of my life, like a thunderclap", "stroke", (), ("suicide_selfharm",)),
        ("everything went black in my left eye", "stroke", (), ("suicide_selfharm",)),
        ("I cut my wrists and the blood won't stop", "suicide_selfharm", ("bleeding",), ()),
        ("she hanged herself and is not breathing", "suicide_selfharm", ("breathing",), ()),
        ("cough up clots of blood", "bleeding", (), ("breathing",)),
        ("someone, he's not moving", "neuro_spine", (), ("pregnancy",)),
    ],
)
def test_the_danger_that_is_named_gets_its_words(
    text: str, group: str, others: tuple[str, ...], silent: tuple[str, ...]
) -> None:
    """The group of the nearest danger leads, what must not be missed follows, and misleading words stay away."""
    found = TRIAGE.assess(text)
    assert (found.urgency, found.group) == (Urgency.EMERGENCY, group)
    assert all(says(text, each) for each in (group, *others))
    assert not any(says(text, each) for each in silent)


@pytest.mark.parametrize(
    "text",
    [
        "The boy next door (17) has been jerking on our kitchen floor for about six minutes",
        "my son went stiff and jerked, he is two",
        "my 2 year old is fitting",
        "seven days after Carvykti she is convulsing",
        "I am 34 weeks and my wife says I had a seizure",
    ],
)
def test_nothing_in_the_mouth_is_said_for_every_seizure(text: str) -> None:
    """Whatever comes first, the first aid for a seizure is said."""
    assert NOTHING_IN_THE_MOUTH in TRIAGE.assess(text).advice


def test_a_child_of_any_age_stays_protected() -> None:
    """Where another group leads, the child is still among the groups that no doubt removes."""
    found = TRIAGE.assess("The boy next door (17) is jerking on the floor")
    assert found.group == "neuro_spine"
    assert "infant_child" in found.groups


def test_a_rule_that_gives_way_to_an_unknown_sign_is_refused(tmp_path: Path) -> None:
    """A misspelt sign is a `ConfigError` naming it, not a rule that never gives way."""
    text = (DATA / BUNDLED).read_text(encoding="utf-8")
    path = tmp_path / "rules.toml"
    path.write_text(text.replace('yields_to = ["grown_child"]', 'yields_to = ["grown_chld"]', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="grown_chld"):
        load_triage_rules(path)
