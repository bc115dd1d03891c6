from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.counted import (
    ASKED,
    BESIDE,
    BUT_ONE,
    CUES_WEIGH,
    FOLLOWS,
    OPENS,
    SEEN_IN,
    TURNED,
    Lexicon,
    Row,
    cues_of,
    rows,
    worth_counting,
)
from pipeline.core.cues import IDEAS

SIGNS = {BESIDE: "|", FOLLOWS: ">", BUT_ONE: ">*>", OPENS: "^", ASKED: "?~", TURNED: "&"}


def named(cue: int) -> str:
    """A cue as one reads it: its kind stands between the ideas, or before them."""
    kind, *digits = (cue >> 7 * place & 127 for place in (4, 3, 2, 1, 0))
    names = [IDEAS[digit] for digit in digits if digit]
    return SIGNS[kind].join(names) if kind not in {OPENS, ASKED} else SIGNS[kind] + ">".join(names)


def cues(text: str) -> set[str]:
    return set(map(named, cues_of([text]).numbers.tolist()))


def test_the_same_thought_has_the_same_cues_in_both_languages():
    english, spanish = cues("I want to cancel my order"), cues("Quiero cancelar mi pedido")
    assert {"want>cancel", "cancel>i>order", "want&cancel"} <= english & spanish


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Please don't cancel my class", "neg&cancel"),
        ("No canceles la clase", "neg&cancel"),
        ("If it rains we'd have to cancel", "if&cancel"),
        ("Can I cancel for free?", "?&cancel"),
        ("Can I cancel for free?", "?~cancel"),
        ("Can I cancel for free?", "able>i>cancel"),
        ("Can I cancel for free?", "^able>i"),
        ("Can I cancel for free?", "able>*>cancel"),
        ("Ya cancelé la cuota", "already&cancelpast"),
        ("we won't be renewing", "i>wont>renew"),
    ],
)
def test_what_turns_an_ending_round_is_a_cue(text: str, cue: str):
    assert cue in cues(text)


def test_an_idea_alone_says_itself_and_how_its_sentence_opens():
    assert cues("changed my mind") == {"mind", "^mind"}


def test_each_idea_has_a_digit_of_its_own_in_a_cue():
    assert len(set(IDEAS)) == len(IDEAS) < 128


def test_a_sentence_is_opened_once():
    assert {cue for cue in cues("please cancel my order") if cue.startswith("^")} == {"^ask", "^ask>cancel"}


def test_four_ideas_at_most_make_a_cue():
    found = cues("please cancel my order, thanks")
    assert "ask>cancel>i>order" in found
    assert all(cue.count(">") < 4 for cue in found)


def test_a_cue_reaches_neither_over_the_end_of_a_sentence_nor_of_a_text():
    assert "neg&cancel" not in cues("That is not it. Cancel my class")
    found = cues_of(["That is not it", "cancel my class"])
    assert "neg&cancel" not in set(map(named, found.numbers.tolist()))


def test_each_cue_is_told_of_its_own_text():
    found = cues_of(["cancel", "", "thanks"])
    assert {(named(number), owner) for number, owner in zip(found.numbers.tolist(), found.owner.tolist(), strict=True)} == {
        ("cancel", 0),
        ("^cancel", 0),
        ("thanks", 2),
        ("^thanks", 2),
    }


@pytest.mark.parametrize("text", ["", "   ", "...", "\n\n?!"])
def test_a_text_without_words_has_hardly_any_cues(text: str):
    assert cues(text) <= {"?", "^?", "?~?"}


def test_a_turn_stands_once_with_each_ending_however_often_both_are_said():
    found = [named(cue) for cue in cues_of(["no cancel no cancel no cancel"]).numbers.tolist()]
    assert found.count("neg&cancel") == 1


TEXTS = ["cancel my blue order"] * max(SEEN_IN.values()) + ["green"] * (SEEN_IN["word"] - 1)


@pytest.fixture
def lexicon() -> Lexicon:
    return worth_counting(TEXTS)


def test_what_few_texts_have_is_not_worth_counting(lexicon: Lexicon):
    assert sorted(lexicon.words) == ["blue", "cancel", "my", "order"]
    assert len(lexicon.pairs) == 3
    assert "cancel>i>order" in set(map(named, lexicon.cues.tolist()))


def test_a_word_counts_once_for_each_text_however_often_it_stands_there():
    assert "order" not in worth_counting(["order order order order", "order"]).words


def test_a_pair_of_words_counts_once_for_each_text_however_often_it_stands_there():
    often = ["blue order, blue order, blue order, blue order, blue order"] * (SEEN_IN["pair"] - 1)
    assert len(worth_counting(often).pairs) == 0
    assert len(worth_counting([*often, "blue order"]).pairs) == 1


def test_no_pair_reaches_from_one_text_into_the_next(lexicon: Lexicon):
    together = rows(["cancel my", "blue order"], lexicon)
    assert [row.columns.tolist() for row in together] == [
        rows([text], lexicon)[0].columns.tolist() for text in ("cancel my", "blue order")
    ]


def test_what_is_rarer_weighs_more():
    lexicon = worth_counting(["order blue"] * 3 + ["order"] * 30)
    assert lexicon.rarity[lexicon.words["blue"]] > lexicon.rarity[lexicon.words["order"]]


def test_the_same_texts_give_the_same_lexicon_in_whatever_order(lexicon: Lexicon):
    other = worth_counting(TEXTS[::-1])
    assert list(lexicon.words) == list(other.words)
    assert lexicon.pairs.tolist() == other.pairs.tolist()
    assert lexicon.cues.tolist() == other.cues.tolist()
    assert lexicon.rarity.tolist() == other.rarity.tolist()


def test_a_row_is_of_unit_length_and_balances_words_and_cues(lexicon: Lexicon):
    [row] = rows(["cancel my blue order"], lexicon)
    is_cue = row.columns >= len(lexicon.rarity)
    words, cues = np.linalg.norm(row.values[~is_cue]), np.linalg.norm(row.values[is_cue])
    assert np.hypot(words, cues) == pytest.approx(1)
    assert cues / words == pytest.approx(CUES_WEIGH)
    assert len(set(row.values[is_cue].tolist())) == 1


def test_a_word_said_twice_weighs_more_but_not_twice_as_much(lexicon: Lexicon):
    [row] = rows(["blue order order"], lexicon)
    weight = dict(zip(row.columns.tolist(), row.values.tolist(), strict=True))
    more = weight[lexicon.words["order"]] / weight[lexicon.words["blue"]]
    rarer = lexicon.rarity[lexicon.words["order"]] / lexicon.rarity[lexicon.words["blue"]]
    assert more / rarer == pytest.approx(1 + np.log(2))


def test_known_is_the_share_of_different_words_that_the_lexicon_has(lexicon: Lexicon):
    assert [row.known for row in rows(["order order purple", "", "purple"], lexicon)] == [0.5, 0, 0]


def test_texts_are_counted_in_company_as_they_are_alone(lexicon: Lexicon):
    texts = ["blue", "", "cancel my order?", "?!", "purple", "order, my blue order"]
    for together, text in zip(rows(texts, lexicon), texts, strict=True):
        assert_same(together, rows([text], lexicon)[0])


def assert_same(one: Row, other: Row) -> None:
    assert one.columns.tolist() == other.columns.tolist()
    assert one.values.tolist() == pytest.approx(other.values.tolist())
    assert one.known == other.known


def test_texts_in_which_nothing_counts_teach_a_lexicon_that_counts_nothing():
    lexicon = worth_counting(["", "lonely"])
    assert lexicon.width == 0
    assert [row.columns.tolist() for row in rows(["lonely", ""], lexicon)] == [[], []]
