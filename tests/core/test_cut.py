from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costs import seconds
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.cut import cut

TRAINING = Path(__file__).parents[2] / "models" / "corpus"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "mime"

NEW = "I have to cancel my class on Thursday.\n\nMaria"


def assert_cut(new: str, old: str, *, between: str = "\n\n") -> None:
    """The new words alone are new; of the old ones none is lost."""
    got, quoted = cut(f"{new}{between}{old}")
    assert got == new
    assert quoted.split() == old.split()


# --- history


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, 16 Nov 2026 at 18:02, Blue Door <dana@bluedoor.example> wrote:",
        "On Mon, Nov 16, 2026 at 6:02 PM Blue Door <dana@bluedoor.example>\nwrote:",
        "On 16 Nov 2026, at 18:02, Blue Door <dana@bluedoor.example> wrote:",
        "On Monday, November 16, 2026 at 06:02:11 PM GMT+1, Blue Door\n<dana@bluedoor.example> wrote:",
        "El mié, 18 nov 2026 a las 9:12, Blue Door (<dana@bluedoor.example>) escribió:",
        "El mié, 18 nov 2026 a las 9:12, Blue Door\n(<dana@bluedoor.example>) escribió:",
        "El 18 nov 2026, a las 9:12, Blue Door <dana@bluedoor.example>\nescribió:",
        "El miércoles, 18 de noviembre de 2026, Blue Door escribió:",
        "En miércoles, 18 de noviembre de 2026, 09:12:00 CET, Blue Door <dana@bluedoor.example> escribió:",
        "2026-11-18 9:12 GMT+01:00 Blue Door con un nombre largo <\ndana@bluedoor.example>:",
        "Am Mi., 18. Nov. 2026 um 09:12 Uhr schrieb Blue Door <\ndana@bluedoor.example>:",
        "Blue Door <dana@bluedoor.example> schrieb am Mi., 18.\nNov. 2026 um 09:12 Uhr:",
        "Le mer. 18 nov. 2026 à 09:12, Blue Door <dana@bluedoor.example> a écrit :",
        "Em qua., 18 de nov. de 2026 às 09:12, Blue Door <dana@bluedoor.example> escreveu:",
        "Il giorno mer 18 nov 2026 alle ore 09:12 Blue Door <dana@bluedoor.example> ha scritto:",
        "Op wo 18 nov. 2026 om 09:12 schreef Blue Door <dana@bluedoor.example>:",
        "Blue Door <dana@bluedoor.example> wrote:",
        "--- On Wed, 18/11/26, Blue Door <dana@bluedoor.example> wrote:",
    ],
)
@pytest.mark.parametrize("history", ["> Your class is on Thursday.\n>\n> Dana", "Your class is on Thursday.\n\nDana"])
def test_what_somebody_wrote_before_is_quoted(attribution: str, history: str):
    assert_cut(NEW, f"{attribution}\n\n{history}")


@pytest.mark.parametrize(
    "headers",
    [
        "From: Dana <dana@bluedoor.example>\nSent: Monday, November 16, 2026 6:02 PM\nTo: Maria\nSubject: Your class",
        "*From:* Dana\n*Sent:* Monday, November 16, 2026 6:02 PM\n*To:* Maria\n*Subject:* Your class",
        "De: Dana <dana@bluedoor.example>\nEnviado el: lunes, 16 de noviembre de 2026 18:02\nPara: Maria\nAsunto: Tu clase",
        "De: Dana <dana@bluedoor.example>\n\nEnviado: lunes, 16 de noviembre de 2026 18:02\n\nPara: Maria\n\nAsunto: Tu clase",
        "Von: Dana\nGesendet: Montag, 16. November 2026 18:02\nAn: Maria\nBetreff: Ihr Kurs",
        "De : Dana\nEnvoyé : lundi 16 novembre 2026 18:02\nÀ : Maria\nObjet : Votre cours",
        "De: Dana\nEnviada em: segunda-feira, 16 de novembro de 2026 18:02\nPara: Maria\nAssunto: Aula",
        "Da: Dana\nInviato: lunedì 16 novembre 2026 18:02\nA: Maria\nOggetto: Lezione",
        "From: Dana\nDate: Mon, 16 Nov 2026\nTo: Maria with a very long list of names\n that goes on here\nSubject: Your class",
    ],
)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----Original Message-----\n", "---\n"])
def test_the_headers_of_an_earlier_mail_begin_history(headers: str, rule: str):
    if rule == "---\n":
        rule = "-----Mensaje original-----\n"
    assert_cut(NEW, f"{rule}{headers}\n\nYour class is on Thursday.")


@pytest.mark.parametrize(
    "divider",
    [
        "-----Original Message-----",
        "-----Mensaje original-----",
        "-------- Original message --------",
        "-------- Mensaje original --------",
        "*-------- Original Message --------*",
        "---------- Forwarded message ---------",
        "---------- Mensaje reenviado ---------",
        "-----Ursprüngliche Nachricht-----",
        "Begin forwarded message:",
        "Inicio del mensaje reenviado:",
        "---- On Mon, 16 Nov 2026 18:02:10 +0530 Blue Door <dana@bluedoor.example> wrote ----",
        "---- El lun, 16 nov 2026 18:02:10 +0100 Blue Door <dana@bluedoor.example> escribió ---",
    ],
)
def test_a_divider_begins_history(divider: str):
    assert_cut("See below please.", f"{divider}\n\nYour class is on Thursday.")


@pytest.mark.parametrize(
    "history",
    [
        "  On Mon, Nov 16, 2026 at 6:02 PM, Blue Door<dana@bluedoor.example> wrote:   Class is on Thursday. To cancel, reply.",
        "  El lun., 16 de nov. de 2026 a la(s) 18:02, Blue Door\n<dana@bluedoor.example> escribió:   Su clase es el jueves.",
    ],
)
def test_history_may_begin_behind_the_colon_of_its_attribution(history: str):
    assert_cut(NEW, history)


@pytest.mark.parametrize(
    "words",
    [
        "On Monday your colleague wrote:  you owe us nothing. So why the bill?",
        "From: December I cannot pay\nTo: be honest it is too much",
        "From: Maria <maria@example.org>\nSubject: Cancel\n\nMessage Body:\nPlease cancel my class",
        "Date: 3 May\nName: Maria\nPlease cancel my class",
        "To: the team\nPlease cancel my class",
        "On Monday your colleague wrote:\nyou owe us nothing. So why the bill?",
        "El martes 3 de mayo me escribió:\nque no hacía falta pagar. Quiero la baja.",
        "I asked three things:\n- the price\n- the date\n- the refund",
        "Here is my problem: I can't come.\nTwo reasons:\nmoney and time",
        ">From what I see there is no way, so please cancel",
        "Please call me at 10:30:\n600 111 222",
        "De: 10 a 12\nFecha: martes\nPara: dos personas\nQuiero anular la reserva",
        "On 3 May your colleague wrote to ana@example.org about it.\nMy question:\nwhen do I get my money?",
    ],
)
def test_new_words_that_look_a_little_like_history_stay(words: str):
    assert cut(words) == (words, "")


def test_answers_between_and_below_quotations_are_new():
    new, quoted = cut(
        "On Mon, 16 Nov 2026 at 18:02, Dana <dana@bluedoor.example> wrote:\n"
        "> Do you come on Thursday?\n"
        "\n"
        "No, I have to cancel.\n"
        "\n"
        "> And on Friday?\n"
        "Not either.\n"
        "\n"
        "-- \n"
        "Maria\n"
    )
    assert new.split("\n") == ["No, I have to cancel.", "", "Not either."]
    assert "Do you come" in quoted
    assert "And on Friday?" in quoted
    assert quoted.endswith("Maria")


def test_a_forwarded_mail_without_a_word_says_nothing_new():
    new, quoted = cut("\n---------- Forwarded message ---------\nFrom: Ana <ana@example.org>\n\nI want to cancel.\n")
    assert new == ""
    assert "I want to cancel." in quoted


def test_a_quotation_alone_says_nothing_new():
    assert cut("> I want to cancel.") == ("", "> I want to cancel.")


def test_the_signature_of_a_phone_is_no_answer_to_a_forwarded_mail():
    new, _ = cut("Sent from my iPhone\n\nBegin forwarded message:\n\n> From: Ana\n> I want to cancel.")
    assert new == ""


def test_words_above_a_quotation_are_no_attribution():
    words = "Your colleague wrote to me last week and I agree.\nHere is what I did not like:"
    assert cut(f"{words}\n> Prices rise in May.") == (words, "> Prices rise in May.")


def test_an_attribution_does_not_swallow_the_line_above_it():
    new, _ = cut("Please cancel on 3 May\nOn 2 May 2026 at 10:00, Dana <dana@bluedoor.example> wrote:\n> ok?")
    assert new == "Please cancel on 3 May"


# --- signatures and disclaimers


@pytest.mark.parametrize(
    "signature",
    [
        "Sent from my iPhone",
        "Enviado desde mi iPhone",
        "Enviado desde mi Samsung Mobile de Claro",
        "Enviado desde Correo para Windows",
        "Sent from Mail for Windows 10",
        "Sent from Outlook for Android<https://aka.example/AAb9ysg>",
        "Get Outlook for iOS<https://aka.example/o0ukef>",
        "Obtener Outlook para Android",
        "Sent via BlackBerry from T-Mobile",
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        "Virus-free. www.scanner.example",
        "-- \nMaria Lopez\nBlue Street 3",
        "--\nMaria Lopez\nTel. 600 111 222",
        "-- \nMaria\n\nThis is my favourite quotation, and it has far more words than a name has.",
        "--\nMaria Lopez\nLife is what happens to you while you are busy making other plans.",
        "--\nMaria López\nPeluquería Azul\n\nAbrimos de lunes a viernes de nueve a dos y los sábados por la mañana.",
        "Sent with Proton Mail secure email.",
        "Sent with [Proton Mail](https://proton.example/) secure email.",
        "Enviado con Proton Mail",
        "CONFIDENTIALITY: this message is intended only for the addressee. If you received it in error, delete it.",
        "CONFIDENCIAL: este mensaje va dirigido solo a su destinatario. Si lo recibe por error, elimínelo y avise.",
        "This e-mail and its attachments are confidential and intended solely for the named recipient.\n"
        "Any unauthorised use is strictly prohibited.\n\nAcme Ltd, 1 High Street, London",
        "AVISO LEGAL: La información de este correo es confidencial y está dirigida a su destinatario.\n\n"
        "De acuerdo con el RGPD le informamos de que sus datos son tratados por Acme S.L.\n\n"
        "Antes de imprimir este mensaje, piense en el medio ambiente.",
        "Please consider the environment before printing this e-mail.",
        "--\nMaria Lopez\n\nThis e-mail is confidential and intended only for the addressee."
        + " If you are not, delete it." * 20,
        "***\n____",
    ],
)
def test_what_closes_a_mail_and_says_nothing_is_cut(signature: str):
    assert_cut(NEW, signature)


@pytest.mark.parametrize(
    ("words", "contact"),
    [
        ("Please cancel.\n\nKind regards,", "Maria Lopez\nSales Manager\nTel: +34 600 111 222\nwww.acme.example"),
        ("Quiero darme de baja.\n\nUn saludo,", "María López\nC/ Mayor 3, 28013 Madrid\nmaria@example.org"),
        ("Please cancel.\nThanks", "Peter\n07700 900123"),
        ("Me doy de baja.\n\nAtentamente", "Pablo Ruiz\nAcme S.L."),
    ],
)
def test_the_address_below_a_sign_off_is_cut_and_the_sign_off_is_not(words: str, contact: str):
    assert_cut(words, contact, between="\n")


@pytest.mark.parametrize(
    "words",
    [
        "Please cancel.\n\nThanks,\nMaria",
        "Please cancel.\nThanks\nPS: please cancel my daughter's class too, her number is 600 111 222",
        "Cancelo la cita.\nGracias\nMi nuevo teléfono es 600 111 222",
        "Thanks for the reminder.\nI can't come on Thursday.",
        "Please cancel.\nRegards\nMaria\nWhen do I get my money back? Call 600 111 222",
        "First point.\n--\nI also want my money back.",
        "First point.\n--\nMaria\nThe money for the other course that is over should come back as well, by Friday, can it?",
        "First point.\n--\nThe other class on Friday with the twins has to go as well.",
        "First point.\n--\nTwins\nCancel the other class on Friday with the two of them as well.",
        "First point.\n--\nMaria\nPS: the money for the other course should come back by Friday as well.",
        "Please cancel.\n--\n" + "The room is cold\nThe teacher came late every time, and nobody ever said why.\n" * 8 + "Bye",
        "Sent with Proton Mail yesterday, please confirm you have received it",
        "Call me:\nMaria\n600 111 222",
        "Sent from my office yesterday, please confirm you have received it",
        "Al amparo del RGPD y de la ley de protección de datos solicito la supresión de mis datos.",
        "I received it in error and my data are confidential, so delete them.",
        "La cita del viernes es confidencial, por favor anúlenla.",
        "Please consider this my notice.",
        "👍",
        "- first\n- second",
    ],
)
def test_words_at_the_end_are_not_taken_for_a_signature(words: str):
    assert cut(words) == (words, "")


@pytest.mark.parametrize(
    "text", ["Sent from my iPhone", "\nEnviado desde mi iPhone\n\n--\n", "Sent with Proton Mail secure email."]
)
def test_a_phone_alone_says_nothing_new(text: str):
    new, quoted = cut(text)
    assert (new, quoted.split()) == ("", text.split())


@pytest.mark.parametrize("text", ["-- \nMaria", "--", "***", "CONFIDENTIAL, for the addressee only"])
def test_a_mail_without_history_is_never_left_without_words(text: str):
    new, quoted = cut(text)
    assert (new.split(), quoted) == (text.split(), "")


def test_a_signature_below_the_quotation_is_cut_too():
    assert cut("Please cancel.\n\n> Your class\n\n-- \nMaria")[0] == "Please cancel."


def test_an_empty_text_stays_empty():
    assert cut("") == ("", "")


def test_the_kind_of_line_ends_does_not_matter():
    assert cut("Please cancel.\r\n\r\n> Your class\r\n") == ("Please cancel.", "> Your class")


# --- all of it


LINES = st.sampled_from(
    [
        *(
            "Please cancel.",
            "> old",
            ">> older",
            "",
            "-- ",
            "--",
            "Thanks,",
            "Maria",
            "Tel. 600 111 222",
            "Sent from my iPhone",
        ),
        *("On 3 May 2026 at 10:00, x <a@b.example> wrote:", "El 3/5/2026 escribió:", "wrote:", "<a@b.example>", "From: x"),
        *("Sent: 3 May 2026", "To: y", "Subject: z", "_" * 32, "-----Original Message-----", "confidential addressee", ":"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=25).map("\n".join))
def test_no_word_is_lost_or_made_up(text: str):
    new, quoted = cut(text)
    assert sorted(f"{new}\n{quoted}".split()) == sorted(text.split())
    assert not any(line.startswith(">") for line in new.split("\n"))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text",
    [
        "a:\n" * 40_000,
        "From: a\nDate: b\n" * 20_000,
        "On 3 May 2026 at 10:00, x <a@b.example> wrote:\n" * 20_000,
        "On 3 May 2026 at 10:00, x <a@b.example> wrote:  a\n" * 20_000,
        "---- On 3" + " wrot" * 400_000,
        "> a\n\n" * 50_000,
        "> a\nb\n" * 50_000,
        "-- \n" * 100_000,
        "--\nI say something.\n" * 50_000,
        "Maria\n" * 50_000 + "--\n" * 200_000 + "Maria\nThat is what the two of us have to say about it.",
        "_" * 3_000_000,
        "!" * 3_000_000,
        ("a " * 30_000 + ":\n") * 50,
        "confidential " * 80_000,
        "Sent from " + "<" * 1_000_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_a_hostile_text_costs_little_time(text: str):
    assert seconds(lambda: cut(text), enough=10) < 10  # linear, so that it is a second on a quiet machine


# --- real texts


def test_no_mail_of_the_training_corpus_loses_a_word_that_is_not_quoted():
    marks = (">", "---", "enviado desde", "sent from")
    lost = []
    for path in sorted(TRAINING.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            text = json.loads(line)["text"] if line else ""
            _, quoted = cut(text)
            if quoted and not quoted.lower().startswith(marks):
                lost.append(f"{path.name}: {quoted[:200]!r}")
    assert lost == []


def bodies() -> list[dict[str, Any]]:
    extras = CORPUS / "extras.jsonl"
    if not extras.exists():
        pytest.skip(f"the corpus of mail bodies is not here ({extras.resolve()})")
    rows = [json.loads(line) for line in extras.read_text(encoding="utf-8").split("\n") if line]
    return [row for row in rows if "expected_reply" in row]


def test_real_replies_are_cut_where_people_would_cut_them():
    wrong = []
    for row in bodies():
        new, _ = cut((CORPUS / row["path"]).read_text(encoding="utf-8", errors="replace"))
        if new.split() != row["expected_reply"].split():
            wrong.append(f"{row['path']}: {new[:200]!r}")
    assert 1 - len(wrong) / len(bodies()) >= 0.9, wrong
