"""The shipped training corpus keeps its own label rules (models/corpus/README.md)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.evaluate.alike import near_duplicates, told

CORPUS = Path(__file__).parents[1] / "models" / "corpus"

REGIONS = set("US UK IE CA AU NZ IN ZA ES MX AR UY CO CL PE BO EC PY VE CR GT HN NI SV PA DO PR CU US-es EN-L2".split())
REASONS = set("price service timing not_ready other unspecified".split())
SENSITIVE = set("bereavement illness hardship legal minor abuse anger".split())
HARD = set(
    "policy_question complaint retraction negated running_late past_cancellation conditional uncertain vendor_notice"
    " calendar_notice invoice cancelar_pagar forwarded marketing_opt_out spam refund_query threat business_cancels praise"
    " other".split()
)
SUBREASONS = set(
    "competitor need_ended moved hardship illness bereavement emergency travel provider_side cheaper_elsewhere price_rise"
    " budget quality late unresponsive rude billing feature_gap hard_to_use still_comparing postponed work childcare weather"
    " transport schedule_conflict changed_mind not_using diy closing pregnancy wrong_person".split()
)
KINDS = set("return new_slot cancelled past mentioned".split())
KEYS = set(
    "id lang region trade subject text intent reason subreason second_reason sensitive opt_out firm question hard"
    " evidence dates asked".split()
)


def mails() -> Iterator[tuple[str, dict]]:
    for path in sorted(CORPUS.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.name}:{number}", json.loads(line)


def problems(mail: dict) -> list[str]:
    """What breaks the rules of models/corpus/README.md in one mail; empty if nothing does."""
    if set(mail) != KEYS:
        return [f"keys missing {sorted(KEYS - set(mail))}, unknown {sorted(set(mail) - KEYS)}"]
    cancel = mail["intent"] == "cancel"
    checks = (
        (mail["lang"] in ("en", "es"), "lang"),
        (mail["region"] in REGIONS, "region"),
        (bool(mail["trade"]), "trade"),
        (bool(mail["text"].strip()), "text is empty"),
        (mail["intent"] in ("cancel", "reschedule", "none"), "intent"),
        (mail["reason"] in REASONS if cancel else mail["reason"] is None, "reason"),
        (mail["second_reason"] is None or (cancel and mail["second_reason"] in REASONS), "second_reason"),
        (mail["second_reason"] is None or mail["second_reason"] != mail["reason"], "second_reason repeats reason"),
        (mail["subreason"] is None or mail["subreason"] in SUBREASONS, f"subreason {mail['subreason']}"),
        (mail["sensitive"] is None or mail["sensitive"] in SENSITIVE, "sensitive"),
        (all(isinstance(mail[flag], bool) for flag in ("opt_out", "firm", "question")), "flags are true or false"),
        (mail["hard"] is None or (mail["intent"] == "none" and mail["hard"] in HARD), f"hard {mail['hard']}"),
        (mail["evidence"] is None or mail["evidence"] in mail["text"] or mail["evidence"] in mail["subject"], "evidence"),
        (mail["evidence"] is not None or mail["intent"] == "none", "evidence is missing"),
        (all(set(d) == {"text", "kind"} for d in mail["dates"]), "dates have text and kind"),
        (all(d["kind"] in KINDS for d in mail["dates"]), "dates kind"),
        (all(d["text"] in mail["text"] or d["text"] in mail["subject"] for d in mail["dates"]), "dates text"),
    )
    return [message for right, message in checks if not right]


def test_every_mail_keeps_the_label_rules():
    wrong = [f"{place}: {'; '.join(found)}" for place, mail in mails() if (found := problems(mail))]
    assert not wrong, "\n".join(wrong[:40])


def test_ids_are_unique():
    counts = Counter(mail["id"] for _, mail in mails())
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_text_is_there_twice():
    counts = Counter(re.sub(r"\W+", " ", f"{mail['subject']} {mail['text']}".lower()).strip() for _, mail in mails())
    assert [text[:80] for text, count in counts.items() if count > 1] == []


def test_near_duplicates_are_rare_and_the_readme_tells_how_rare():
    near, total = near_duplicates(mail["text"] for _, mail in mails())
    assert near <= total / 100
    assert told(near, total) in (CORPUS / "README.md").read_text(encoding="utf-8"), "run `python -m pipeline.evaluate.alike`"


def test_both_halves_and_both_languages_are_there():
    found = [mail for _, mail in mails()]
    none = [mail for mail in found if mail["intent"] == "none"]
    assert len(found) >= 600
    assert 0.4 <= len(none) / len(found) <= 0.6
    assert sum(mail["hard"] is not None for mail in none) / len(none) >= 0.4
    assert sum(mail["lang"] == "es" for mail in found) / len(found) >= 0.35
    assert len({mail["trade"] for mail in found}) >= 30
