from __future__ import annotations

import numpy as np

from pipeline import train_sentences
from pipeline.edges.model import HARDLY, SentenceWords, runs, sentences, with_sentences

THANKS = ["Thank you for everything.", "It was lovely.", "We move house in May.", "My dog says hello.", "Keep the deposit."]
ASKS = "Please do not write to us again"
TEXTS = [f"{THANKS[i % 5]} {ASKS if i % 2 else 'See you soon'}. {THANKS[(i + 2) % 5]}" for i in range(40)]
WANTED = np.array([i % 2 == 1 for i in range(40)])
ALL = np.arange(40)
READ = train_sentences.read(TEXTS)


def test_the_sentence_that_asks_is_found_in_mails_that_are_labelled_as_a_whole():
    learnt = train_sentences.learn(READ, WANTED, ALL)
    said = READ.rows @ learnt.weights
    best = [said[begin : begin + 3].argmax() for begin in READ.begins[WANTED]]
    assert best == [1] * 20


def test_what_only_stands_beside_it_is_not_taken_for_it():
    texts = [
        f"Goodbye and thanks. {ASKS}." if i % 2 else "Goodbye and thanks. See you." if i % 4 else "Hello." for i in range(40)
    ]
    read = train_sentences.read(texts)
    said = train_sentences.highest(read, train_sentences.learn(read, WANTED, ALL))
    assert said[WANTED].min() > 0 > said[~WANTED].max()


def test_what_is_held_out_is_told_apart_by_its_sentences():
    folds = [(ALL[20:], ALL[:20]), (ALL[:20], ALL[20:])]
    said = train_sentences.held_out(READ, WANTED, folds)
    assert said[WANTED].min() > said[~WANTED].max()


def test_a_fold_without_opt_outs_teaches_nothing():
    assert train_sentences.teachable(WANTED, [(ALL, ALL)])
    assert not train_sentences.teachable(WANTED, [(ALL[~WANTED], ALL)])


def test_the_model_says_of_a_text_what_was_learnt():
    learnt = train_sentences.learn(READ, WANTED, ALL)
    scale = np.array([1, 1, 0], dtype=np.float32)
    words = SentenceWords(train_sentences.arrays(READ, learnt, scale))
    said = train_sentences.highest(READ, learnt)
    likely = np.full(2, 0.3, dtype=np.float32)
    found = words(TEXTS[:2], likely)
    np.testing.assert_allclose(found, with_sentences(likely, said[:2], scale), atol=0.05)
    assert found[1] > 0.5 > found[0]


def test_where_nothing_was_learnt_the_whole_mail_stands():
    nothing = train_sentences.Sentence(weights=np.zeros(len(READ.names), dtype=np.float32), bias=0.0)
    words = SentenceWords(train_sentences.arrays(READ, nothing, np.array([1, 0, 0], dtype=np.float32)))
    np.testing.assert_allclose(words(TEXTS[:1], np.array([0.3], dtype=np.float32)), [0.3], rtol=1e-5)


def test_where_the_whole_mail_hardly_speaks_of_it_no_sentence_is_asked():
    words = SentenceWords(train_sentences.arrays(READ, train_sentences.learn(READ, WANTED, ALL), np.ones(3, dtype=np.float32)))
    hardly = np.array([HARDLY / 2], dtype=np.float32)
    assert words(TEXTS[1:2], hardly) == hardly


def test_whole_and_sentence_are_weighed_by_how_well_they_tell():
    likely = np.where(WANTED, 0.6, 0.4).astype(np.float32)
    said = np.where(WANTED, 2.0, -2.0).astype(np.float32)
    found = with_sentences(likely, said, train_sentences.balance(likely, said, WANTED))
    assert found[WANTED].min() > 0.9
    assert found[~WANTED].max() < 0.1


def test_with_nothing_to_compare_the_whole_mail_stands():
    scale = train_sentences.balance(np.full(4, 0.2, dtype=np.float32), np.zeros(4, dtype=np.float32), np.zeros(4, dtype=bool))
    assert scale.tolist() == [1, 0, 0]


def test_a_sentence_goes_on_over_the_end_of_a_long_line():
    text = "We have been so very happy with all that you have done for us\nthat I ask you for one thing.\nNo mail!\nAnn"
    assert [" ".join(words) for words in sentences(text)] == [
        "we have been so very happy with all that you have done for us that i ask you for one thing",
        "no mail",
        "ann",
    ]
    assert sentences("") == [[]]


def test_runs_are_words_and_what_stands_together():
    assert runs(["do", "not", "write", "do"]) == [
        *("do", "not", "write"),
        *("do not", "not write", "write do"),
        *("do not write", "not write do"),
    ]


def test_a_mail_that_the_whole_is_certain_of_can_be_learnt_from():
    likely = np.where(WANTED, np.float32(1), np.float32(0.2))
    scale = train_sentences.balance(likely, np.zeros(len(WANTED), dtype=np.float32), WANTED)
    assert np.isfinite(scale).all()
    found = with_sentences(likely, np.zeros(len(WANTED), dtype=np.float32), scale)
    assert (found[WANTED] > 0.9).all()
