"""The policy is told kindly, in both languages, and says nothing that the rules do not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.core import policy_words
from pipeline.core.policy_words import LANGUAGES, duration, money, percent, section, sections, sentences
from pipeline.core.records import Charge, Costs, Line, Package, Policy

DAY = timedelta(days=1)
FULL = Policy(
    currency="EUR",
    notice=7 * DAY,
    fees=(Charge(percent=Decimal(100), within=timedelta(0)), Charge(percent=Decimal("12.5"), within=7 * DAY)),
    minimum=Charge(amount=Decimal("10.00")),
    cap=Charge(percent=Decimal(100)),
    deposit=Charge(amount=Decimal("1234.50"), within=30 * DAY),
    refunds=(Charge(percent=Decimal(0), within=DAY), Charge(percent=Decimal(50), within=7 * DAY)),
    costs=Costs.COVERED,
    grace=1,
    exceptions=frozenset({"emergency", "illness", "bereavement"}),
    packages={"Ten hours": Package(sessions=10, price=Decimal("400.00"), extend=timedelta(minutes=10))},
)


def keys(policy: Policy) -> list[str]:
    return [part.key for part in sections(policy, "en")]


def text(policy: Policy, language: str = "en") -> str:
    return "\n".join(part.text for part in sections(policy, language))


USTED = re.compile(
    r"\b(?:usted|le(?! puede pasar a cualquiera)|les|suy[oa]s?|avísenos|díganos|hable|si cancela|cancele|ha(?:ya)? pagado)\b",
    re.I,
)


def test_who_is_called_tu_is_never_called_usted_and_the_other_way_round():
    tu, usted = (
        "\n".join(f"{part.title}\n{part.text}" for part in sections(FULL, "es", form))
        for form in (policy_words.TU, policy_words.USTED)
    )
    assert USTED.findall(tu) == []
    assert re.findall(r"\b(?:tú|ti|contigo|te|tuy[oa]s?|avísanos|dínoslo|habla|cancelas)\b", usted, re.I) == []
    assert len(tu.splitlines()) == len(usted.splitlines())


def test_the_words_for_tu_hold_the_same_figures():
    for key, text in policy_words._TU.items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", policy_words._PAGE[key][1]), key


def test_english_knows_no_forms():
    assert sections(FULL, "en", policy_words.TU) == sections(FULL, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_in_force_has_its_section_under_the_same_key(language: str):
    assert [part.key for part in sections(FULL, language)] == [
        *(
            "welcome",
            "notice",
            "grace",
            "exceptions",
            "ours",
            "fees",
            "deposit",
            "refunds",
            "costs",
            "cap",
            "packages",
            "contact",
        )
    ]


def test_a_rule_that_is_not_in_force_is_not_mentioned():
    assert keys(Policy()) == ["welcome", "notice", "ours", "contact"]
    assert keys(Policy(notice=DAY, grace=1, cap=Charge(percent=Decimal(100)), exceptions=frozenset({"illness"}))) == keys(
        Policy()
    )
    assert keys(Policy(deposit=Charge(percent=Decimal(20)))) == ["welcome", "notice", "ours", "deposit", "contact"]


def test_the_rows_stand_from_the_earliest_cancellation_to_the_latest():
    rows = next(block for block in sections(FULL, "en")[5].blocks if isinstance(block, tuple))
    assert rows == (
        "Less than 7 days before: 12.5% of the price",
        "Once the agreed time has come, or if we hear nothing: 100% of the price",
    )


def test_a_section_can_be_quoted_in_a_mail_as_plain_text():
    assert section(FULL, "refunds", "es") == (
        "Si cancela cuando la fecha ya está cerca, le devolvemos esto:\n\n"
        "- Menos de 7 días antes: el 50 % de lo que ha pagado\n"
        "- Menos de 24 horas antes: nada\n\n"
        "Si además se aplica otro punto de esta página, solo cuenta lo más alto, nunca las dos cosas."
    )
    with pytest.raises(KeyError):
        section(Policy(), "fees", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_costs_is_named_with_its_amount(language: str):
    told = text(FULL, language).replace("\xa0", " ")
    amounts = {
        "en": ("10.00 EUR", "1,234.50 EUR", "400.00 EUR", "12.5%"),
        "es": ("10,00 EUR", "1234,50 EUR", "400,00 EUR", "12,5 %"),
    }
    assert [amount for amount in amounts[language] if amount not in told] == []


def test_the_notice_promises_no_more_than_the_rules():
    assert "Cancelling costs you nothing." in section(Policy(notice=DAY), "notice", "en")
    assert "there is no fee" in section(FULL, "notice", "en")
    assert section(Policy(packages=FULL.packages), "notice", "en").startswith("Please tell us as soon as you know.")
    for rules in (Policy(notice=DAY, packages=FULL.packages), Policy(notice=DAY, costs=Costs.ADDED)):
        assert not re.search("nothing\\.|no fee", section(rules, "notice", "en"))


@pytest.mark.parametrize(
    ("new_date", "credit", "wanted"),
    [
        (True, 50, "all that you have paid counts towards it. If none suits you, 50% of what"),
        (True, 100, "all that you have paid counts towards it. If none suits you, all that we would"),
        (True, 0, "all that you have paid counts towards it."),
        (False, 50, "Of what we would otherwise keep, 50% stays yours"),
        (False, 100, "All that we would otherwise keep stays yours"),
        (False, 0, "the rules rest and we charge you nothing."),
    ],
)
def test_an_exception_offers_what_the_rules_give(new_date: bool, credit: int, wanted: str):
    assert wanted in section(replace(FULL, new_date=new_date, credit=Decimal(credit)), "exceptions", "en")
    assert ("credit" in section(replace(FULL, new_date=new_date, credit=Decimal(credit)), "exceptions", "en")) == (credit > 0)


def test_the_widest_exception_comes_last():
    assert "Nobody chooses an illness, a death in the family or an emergency." in text(FULL)
    assert "Nadie elige una enfermedad, un fallecimiento en la familia o una emergencia." in text(FULL, "es")
    assert "Nobody chooses an illness." in text(replace(FULL, exceptions=frozenset({"illness"})))


def test_a_deposit_says_when_it_comes_back():
    assert "If you cancel at least 30 days before, you get it back in full." in section(FULL, "deposit", "en")
    always = replace(FULL, deposit=Charge(percent=Decimal(20)))
    assert section(always, "deposit", "en").endswith("If you cancel, it stays with us, since the date was kept for you alone.")


def test_a_refund_that_nothing_else_touches_says_that_all_comes_back_before():
    assert section(Policy(refunds=FULL.refunds), "refunds", "en").endswith("Before that, all of it comes back.")


def test_a_package_says_what_a_late_session_uses_up():
    assert section(FULL, "packages", "en").endswith(
        "- Ten hours: 10 sessions, 400.00 EUR. Called off later, it uses up 1 session."
        " As a gift from us, each one that is left then becomes 10 minutes longer."
    )
    kind = replace(FULL, packages={"Trial": Package(sessions=1, forfeit=0)})
    assert section(kind, "packages", "en").endswith("- Trial: 1 session.")
    assert section(replace(FULL, notice=None), "packages", "en").startswith("A session that you call off stays yours.")


def test_more_than_one_time_let_go_is_counted():
    assert "Your first 3 late cancellations" in section(replace(FULL, grace=3), "grace", "en")


HARSH = {
    "en": r"\b(?:must|strict|penalt|violat|fail|no-show|forfeit|regret|unfortunate|policy|will be charged|your fault)",
    "es": r"\b(?:debe|estrict|penaliza|incumpl|lament|política|sin excepc|obligad|no se reembols|su culpa|multa)",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_never_mean(language: str):
    for rules in (FULL, Policy(), replace(FULL, costs=Costs.ADDED, grace=3, new_date=False, credit=Decimal(0))):
        assert re.findall(HARSH[language], text(rules, language), re.IGNORECASE) == []


def test_the_spanish_page_says_usted():
    assert (
        re.findall(r"\b(?:tú|tu|tus|te|ti|contigo|puedes|tienes|quieres|avísanos|dinos)\b", text(FULL, "es"), re.IGNORECASE)
        == []
    )


@pytest.mark.parametrize(
    ("amount", "currency", "english", "spanish"),
    [
        ("0.00", "USD", "0.00 USD", "0.00 USD"),
        ("1234.50", "USD", "1,234.50 USD", "1234.50 USD"),
        ("1234.50", "EUR", "1,234.50 EUR", "1234,50 EUR"),
        ("1234567.00", "MXN", "1,234,567.00 MXN", "1,234,567.00 MXN"),
        ("12345.67", "EUR", "12,345.67 EUR", "12.345,67 EUR"),
        ("12345", "CLP", "12,345 CLP", "12.345 CLP"),
        ("5.00", "", "5.00", "5.00"),
    ],
)
def test_money_is_written_as_the_language_does(amount: str, currency: str, english: str, spanish: str):
    assert (money(Decimal(amount), currency, "en"), money(Decimal(amount), currency, "es")) == (english, spanish)


@pytest.mark.parametrize(
    ("share", "english", "spanish"),
    [("50", "50%", "50 %"), ("100.00", "100%", "100 %"), ("12.50", "12.5%", "12,5 %"), ("0", "0%", "0 %")],
)
def test_a_share_has_no_more_digits_than_it_needs(share: str, english: str, spanish: str):
    assert (percent(Decimal(share), "EUR", "en"), percent(Decimal(share), "EUR", "es")) == (english, spanish)


@pytest.mark.parametrize(
    ("length", "english", "spanish"),
    [
        (timedelta(0), "0 minutes", "0 minutos"),
        (timedelta(minutes=1), "1 minute", "1 minuto"),
        (timedelta(minutes=90), "1 hour and 30 minutes", "1 hora y 30 minutos"),
        (timedelta(days=1), "24 hours", "24 horas"),
        (timedelta(hours=48), "48 hours", "48 horas"),
        (timedelta(days=3), "3 days", "3 días"),
        (timedelta(days=3, hours=4, minutes=59), "3 days and 4 hours", "3 días y 4 horas"),
        (timedelta(days=30), "30 days", "30 días"),
        (timedelta(days=60), "60 days", "60 días"),
        (timedelta(days=61), "2 months", "2 meses"),
        (timedelta(days=365), "12 months", "12 meses"),
    ],
)
def test_a_length_of_time_is_told_in_units_that_people_use(length: timedelta, english: str, spanish: str):
    assert (duration(length, "en"), duration(length, "es")) == (english, spanish)


def test_a_cause_without_words_of_its_own_is_named_as_it_is():
    line = Line(key="cause", values={"causes": ("jury_duty", "illness")})
    assert sentences([line], "USD", "en") == ("The cause: jury_duty or an illness.",)


def test_every_sentence_of_the_engine_has_words_and_every_word_a_use():
    engine = Path(policy_words.__file__).with_name("policy.py").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:_line\(|Line\(key=)"(\w+)"', engine)) | {
        f"unknown_{fact}" for fact in re.findall(r'"(\w+)"', engine[engine.index("_FACTS = ") :].split("_PARTS")[0])
    }
    named |= {"charge", "charge_all", "refund", "even"}
    named |= {f"{key}_open_percent" for key in ("fee", "minimum", "cap", "deposit", "refund")}
    named |= {f"{key}_open" for key in ("fee", "deposit", "refund")}
    assert set(policy_words._ADVICE) == named
    assert all(len(texts) == len(LANGUAGES) and all(texts) for texts in policy_words._ADVICE.values())
