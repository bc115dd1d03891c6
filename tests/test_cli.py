"""The verbs as a user types them: a real process's exit codes, and what is printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import mail
from filelock import FileLock
from servers import until
from site_of import ROOT, make_config
from typer.testing import CliRunner, Result

from pipeline import app
from pipeline.cli import cli
from pipeline.config import load
from pipeline.edges import clock, shelf
from pipeline.errors import ConfigError, WinbackError

CANCEL = "Please cancel my membership from December. It has become too expensive for me."


class Shop:
    """A site on Maildirs, and somebody who types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = make_config(folder, acknowledgments="review")
        for part in ("cur", "new", "tmp"):
            (folder / "inbox" / part).mkdir(parents=True)

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--config", str(self.config), *words])

    def says(self, *words: str) -> str:
        result = self.types(*words)
        assert result.exit_code == 0, result.output
        return result.output

    def told(self, *words: str) -> object:
        return json.loads(self.types(*words).stdout)

    def arrives(self, data: bytes, name: str = "1") -> None:
        (self.folder / "inbox" / "new" / name).write_bytes(data)

    def sent(self) -> list[Path]:
        return sorted((self.folder / "sent-mail" / "new").glob("*"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.says("once")  # the first look: what comes from now on is new
    return made


@pytest.fixture
def drafted(shop: Shop) -> Shop:
    shop.arrives(mail(CANCEL))
    shop.says("once")
    return shop


def draft_id(shop: Shop) -> str:
    (row,) = shop.told("review", "list", "--json")
    return row["id"]


def winback(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", *words]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120
    )


def test_help_and_version_need_no_configuration(tmp_path: Path):
    assert "run" in CliRunner().invoke(cli, ["--help"]).output
    assert re.match(r"winback \d+\.\d+", CliRunner().invoke(cli, ["--version"]).output)


def test_init_makes_a_site_that_check_finds_in_order(tmp_path: Path):
    site = tmp_path / "shop"
    assert CliRunner().invoke(cli, ["init", str(site)]).exit_code == 0
    for part in ("cur", "new", "tmp"):
        (site / "inbox" / part).mkdir(parents=True)
    result = CliRunner().invoke(cli, ["--config", str(site / "config.yaml"), "check"])
    assert result.exit_code == 0, result.output
    assert "BAD" not in result.output


def test_init_leaves_a_folder_with_something_in_it_alone(tmp_path: Path):
    (tmp_path / "precious").touch()
    result = CliRunner().invoke(cli, ["init", str(tmp_path)])
    assert isinstance(result.exception, WinbackError)
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_init_where_no_folder_can_be_is_a_clear_error(tmp_path: Path, place: str):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(cli, ["init", str(tmp_path / place)])
    assert isinstance(result.exception, WinbackError)
    assert "name a new folder where you may write" in str(result.exception)


@pytest.mark.parametrize("verb", ["once", "run", "stop"])
def test_a_store_in_a_folder_that_is_a_file_is_one_clear_sentence(tmp_path: Path, verb: str):
    shop = Shop(tmp_path)
    (tmp_path / "state").touch()
    result = shop.types(verb)
    assert isinstance(result.exception, WinbackError)
    assert str(tmp_path / "state") in str(result.exception)


def test_stop_with_a_broken_configuration_says_which_file_stops_winback(shop: Shop):
    shop.config.write_text("nonsense: 1\n")
    error = shop.types("stop").exception
    assert isinstance(error, ConfigError)
    assert f"sending is NOT stopped. Make the file {shop.folder / 'state' / 'STOP'} by hand" in str(error)


def test_a_wrong_configuration_is_exit_code_2_with_every_mistake(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("business:\n  name: ''\n  timezone: Mars\ninbox:\n  url: ftp://x\n")
    done = winback("once", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("config.yaml:") >= 3


def test_wrong_usage_is_exit_code_2(tmp_path: Path):
    assert winback("frobnicate", cwd=tmp_path).returncode == 2


def test_a_second_instance_is_exit_code_75(drafted: Shop):
    with FileLock(drafted.folder / "state" / "winback.db.lock"):
        done = winback("once", cwd=drafted.folder)
    assert done.returncode == 75
    assert "another winback works" in done.stderr


def test_once_tells_what_it_did_and_ends_with_0(shop: Shop):
    shop.arrives(mail(CANCEL))
    done = shop.told("once", "--json")
    assert (done["poll"], done["work"], done["publish"]) == (1, 1, 1)


def test_once_with_a_missing_mailbox_is_exit_code_1_and_says_what_to_do(shop: Shop):
    (shop.folder / "inbox").rename(shop.folder / "elsewhere")
    done = winback("once", cwd=shop.folder)
    assert done.returncode == 1
    assert str(shop.folder / "inbox") in done.stderr


def test_a_draft_is_listed_shown_and_approved(drafted: Shop):
    name = draft_id(drafted)
    assert "Maria Lopez" in drafted.says("review", "list")
    shown = drafted.says("review", "show", name)
    assert "To: maria@example.org" in shown
    assert "Reason: price" in shown
    drafted.says("review", "approve", name)
    assert list((drafted.folder / "outbox" / "review").iterdir()) == []
    drafted.says("once")
    assert len(drafted.sent()) == 1


def test_a_draft_is_shown_and_approved_as_edited_in_its_file(drafted: Shop):
    (file,) = (drafted.folder / "outbox" / "review").iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace("Hi Maria", "Dear Maria"), encoding="utf-8")
    assert "Dear Maria" in drafted.says("review", "show", draft_id(drafted))
    drafted.says("review", "approve", draft_id(drafted))
    drafted.says("once")
    assert "Dear Maria" in drafted.sent()[0].read_text(encoding="utf-8")


def test_people_read_times_by_the_clock_of_the_business(drafted: Shop):
    (row,) = drafted.told("review", "list", "--json")
    here = datetime.fromisoformat(row["made"]).astimezone(ZoneInfo("America/Chicago"))
    assert f"{here:%Y-%m-%d %H:%M}" in drafted.says("review", "list")
    assert f"{here:%Y-%m-%d %H:%M} drafted" in drafted.says("contacts", "show", "maria@example.org")


def test_approving_twice_sends_once_and_says_so(drafted: Shop):
    name = draft_id(drafted)
    drafted.says("review", "approve", name)
    assert "was approved before" in str(drafted.types("review", "approve", name).exception)
    drafted.says("once")
    assert len(drafted.sent()) == 1


def test_a_rejected_draft_is_not_sent(drafted: Shop):
    drafted.says("review", "reject", draft_id(drafted))
    drafted.says("once")
    assert drafted.sent() == []
    assert "no draft waits" in drafted.says("review", "list")


def test_a_corrected_draft_has_the_right_text(drafted: Shop):
    drafted.says("review", "correct", draft_id(drafted), "timing")
    (file,) = (drafted.folder / "outbox" / "review").iterdir()
    assert "X-Winback-Reason: timing" in file.read_text(encoding="utf-8")


def test_an_unknown_draft_is_a_clear_error(drafted: Shop):
    assert "no draft begins with zzz" in str(drafted.types("review", "show", "zzz").exception)


def test_stop_stops_sending_until_resume(drafted: Shop):
    drafted.says("review", "approve", draft_id(drafted))
    drafted.says("stop")
    drafted.says("once")
    assert drafted.sent() == []
    assert "STOPPED" in drafted.says("status")
    drafted.says("resume")
    drafted.says("once")
    assert len(drafted.sent()) == 1


def test_status_counts_what_is_there(drafted: Shop):
    told = drafted.told("status", "--json")
    assert told["counts"]["message"] == {"decided": 1}
    assert told["counts"]["draft"] == {"waiting": 1}
    assert "1 waiting" in drafted.says("status")


def test_status_tells_of_a_stop_file_that_somebody_made_by_hand(shop: Shop):
    file = shop.folder / "state" / "STOP"
    file.touch()
    assert f"STOPPED by the file {file}" in shop.says("status")
    assert shop.told("status", "--json")["stopped"] == {"by": f"the file {file}", "at": None}
    shop.says("resume")
    assert shop.told("status", "--json")["stopped"] is None


def test_status_tells_of_runs_by_cron_where_no_daemon_is(tmp_path: Path):
    shop = Shop(tmp_path)
    assert re.search(r"^daemon +never seen", shop.says("status"), re.M)
    shop.says("once")
    assert re.search(r"^daemon +none; last run of `winback once` at \d{4}-\d\d-\d\d \d\d:\d\d$", shop.says("status"), re.M)
    assert shop.told("status", "--json")["once"]["at"]
    with closing(app.open_site_store(load(shop.config), clock.now())) as store:
        store.control.beat("host 1", clock.now())
    assert re.search(r"^daemon +last seen ", shop.says("status"), re.M)


def test_status_shows_alarms(shop: Shop):
    (shop.folder / "inbox").rename(shop.folder / "elsewhere")
    shop.types("once")
    assert "ALARM" in shop.says("status")
    assert any("NOTE" in file.name for file in (shop.folder / "outbox").iterdir())


def test_contacts_are_listed_shown_exported_suppressed_and_erased(drafted: Shop):
    assert "in_follow_up" in drafted.says("contacts", "list")
    assert "drafted" in drafted.says("contacts", "show", "maria@example.org")
    assert drafted.told("contacts", "export", "Maria@Example.org")["contact"][0]["name"] == "Maria Lopez"
    drafted.says("contacts", "suppress", "maria@example.org")
    assert drafted.told("contacts", "list", "--json")[0]["state"] == "suppressed"
    assert "may be written to again" in drafted.says("contacts", "allow", "maria@example.org")
    assert drafted.told("contacts", "list", "--json")[0]["state"] == "active"
    assert "was not suppressed" in drafted.says("contacts", "allow", "maria@example.org")
    drafted.says("contacts", "erase", "maria@example.org")
    assert drafted.told("contacts", "list", "--json") == []
    left = [file for file in drafted.folder.rglob("*") if file.is_file() and file.parent.name != "new"]
    assert [file.name for file in left if b"Maria" in file.read_bytes()] == []


def test_erase_takes_the_files_of_held_mails_and_says_what_it_does_not_touch(shop: Shop):
    shop.arrives(mail(CANCEL, headers="X-Spam-Flag: YES\n"))
    shop.says("once")
    shop.says("once")
    assert len(list((shop.folder / "outbox" / "held").iterdir())) == 1
    said = shop.says("contacts", "erase", "maria@example.org")
    assert "1 files of the outbox" in said
    assert "in your mailbox" in said
    assert str(shop.folder / "sent-mail") in said
    assert list((shop.folder / "outbox" / "held").iterdir()) == []


def test_erase_takes_what_the_model_learnt_of_a_person(drafted: Shop):
    with sqlite3.connect(drafted.folder / "state" / "winback.db") as store:
        ((key,),) = store.execute("SELECT key FROM message")
    store.close()
    models = drafted.folder / "models" / "built"
    shelf.put(models, {"lessons": [key]}, b"")
    said = drafted.says("contacts", "erase", "maria@example.org")
    assert "the model had learnt from their mails and is gone; run `winback train`" in said
    assert list(models.rglob("model.*")) == []


def test_there_is_no_model_to_go_back_to_before_the_first_training(tmp_path: Path):
    winback("init", "shop", cwd=tmp_path)
    result = winback("train", "--rollback", cwd=tmp_path / "shop")
    assert result.returncode == 1
    assert "holds no model of your own" in result.stderr
    assert winback("train", "--rollback", "--shipped", cwd=tmp_path).returncode == 2


def test_evaluate_measures_the_texts_of_a_file(tmp_path: Path):
    """In a terminal, for programs, and as a page; without a site the model that comes with winback is measured."""
    corpus = sorted((ROOT / "models" / "corpus").glob("*.jsonl"))
    lines = [path.read_text(encoding="utf-8").splitlines()[0] for path in corpus[:40]]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    plain = winback("evaluate", "texts.jsonl", "--html", "page.html", cwd=tmp_path)
    assert plain.stdout.startswith("40 texts of texts.jsonl\n\nfigure"), plain.stderr
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    told = json.loads(winback("evaluate", "texts.jsonl", "--json", cwd=tmp_path).stdout)
    assert told["texts"] == 40
    assert told["figures"]["cancellation F1"] > 0.9  # the model has learnt them by heart


def test_evaluate_names_a_file_that_it_cannot_use(tmp_path: Path):
    result = winback("evaluate", "nowhere.jsonl", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "winback: nowhere.jsonl: can't be read (No such file or directory)" in result.stderr


def test_only_an_address_can_be_suppressed(shop: Shop):
    result = shop.types("contacts", "suppress", "not an address")
    assert "expected one such as maria@example.org" in str(result.exception)


def test_somebody_unknown_is_a_clear_error(shop: Shop):
    assert "not known here" in str(shop.types("contacts", "show", "nobody@example.org").exception)


def test_explain_tells_one_object_a_mail_in_order(shop: Shop, tmp_path: Path):
    for number, words in enumerate((CANCEL, "Thank you for yesterday!")):
        (tmp_path / f"{number}.eml").write_bytes(mail(words))
    out = shop.says("explain", "--json", str(tmp_path / "1.eml"), str(tmp_path / "0.eml"), str(tmp_path / "nothing.eml"))
    told = [json.loads(line) for line in out.splitlines()]
    assert [Path(each["path"]).name for each in told] == ["1.eml", "0.eml", "nothing.eml"]
    assert [each["intent"] for each in told] == ["none", "cancel", "none"]
    assert told[1]["plan"][0]["template"] == "price"
    assert "nothing.eml" in told[2]["error"]


EXPLAINED = set(
    "path message_id from subject text quoted screen may_reply is_bounce bounced intent reason subreason confidence"
    " intent_confidence language dates sensitive opt_out firm plan why error".split()
)


def test_explain_has_exactly_the_documented_keys(shop: Shop, tmp_path: Path):
    (tmp_path / "a.eml").write_bytes(mail(CANCEL))
    out = shop.says("explain", "--json", str(tmp_path / "a.eml"), str(tmp_path / "none.eml"))
    assert [set(json.loads(line)) for line in out.splitlines()] == [EXPLAINED, EXPLAINED]


def test_explain_reads_folders_and_standard_input_and_changes_nothing(shop: Shop, tmp_path: Path):
    box = tmp_path / "box"
    box.mkdir()
    (box / "a.eml").write_bytes(mail(CANCEL))
    result = CliRunner().invoke(
        cli, ["--config", str(shop.config), "explain", "--json", str(box), "-"], input=mail("Thank you!")
    )
    assert [json.loads(line)["intent"] for line in result.stdout.splitlines()] == ["cancel", "none"]
    assert shop.told("status", "--json")["counts"]["message"] == {}


def test_own_addresses_can_be_given_to_explain(shop: Shop, tmp_path: Path):
    file = tmp_path / "a.eml"
    file.write_bytes(mail(CANCEL))

    def screened(*own: str) -> str | None:
        told = json.loads(shop.says("explain", "--json", str(file), *(word for one in own for word in ("--own", one))))
        return told["screen"]

    assert screened() is None
    assert screened("other@example.net") == "not_to_us"
    assert screened("maria@example.org") == "own"
    assert screened("unknown") is None


def test_explain_for_people_says_why(shop: Shop, tmp_path: Path):
    (tmp_path / "a.eml").write_bytes(mail(CANCEL))
    assert "why" in shop.says("explain", str(tmp_path / "a.eml"))


def test_check_names_each_mistake_of_the_configuration_as_wrong_usage(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("outbox:\n  sure_at: high\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["--config", str(tmp_path / "config.yaml"), "check"])
    assert result.exit_code == 2
    assert "config.yaml:2: outbox.sure_at" in result.output


def test_check_names_a_broken_text(shop: Shop, tmp_path: Path):
    texts = tmp_path / "texts" / "en"
    texts.mkdir(parents=True)
    (tmp_path / "texts" / "es").symlink_to(ROOT / "templates" / "es")
    for file in (ROOT / "templates" / "en").iterdir():
        (texts / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (texts / "price.txt").write_text("Subject: x\n\nYour plan is cancelled. Save 20 with a coupon.", encoding="utf-8")
    shop.config.write_text(re.sub(r"folder: \S+templates", f"folder: {tmp_path / 'texts'}", shop.config.read_text()))
    result = shop.types("check")
    assert result.exit_code == 1
    assert "en/price.txt" in result.output


def test_check_names_an_answer_that_is_missing(shop: Shop, tmp_path: Path):
    texts = tmp_path / "texts"
    shutil.copytree(ROOT / "templates", texts)
    for path in (*texts.glob("en/price.*"), *texts.glob("es/sensitive_grief.*")):
        path.unlink()
    shop.config.write_text(re.sub(r"folder: \S+templates", f"folder: {texts}", shop.config.read_text()))
    result = shop.types("check")
    assert result.exit_code == 1
    assert "add en/price.txt" in result.output
    assert "add es/sensitive_grief.txt" in result.output


def test_a_missing_text_is_a_configuration_error(shop: Shop):
    shop.config.write_text(shop.config.read_text().replace("template: price_2", "template: price_9"))
    result = shop.types("once")
    assert isinstance(result.exception, ConfigError)
    line = shop.config.read_text().partition("price_9")[0].count("\n") + 1
    assert re.search(
        rf"config\.yaml:{line}: follow_ups\.tracks\.price\.\d\.template: there is no text price_9", str(result.exception)
    )
    assert "price_9" in str(result.exception)


def test_a_daemon_that_reads_its_configuration_again_refuses_a_text_that_would_be_held(
    running: tuple[Shop, subprocess.Popen[str]],
):
    shop, process = running
    texts = shop.folder / "texts"
    shutil.copytree(ROOT / "templates", texts)
    with (texts / "en" / "price.txt").open("a", encoding="utf-8") as file:
        file.write("\n{{ nobody_knows_this }}\n")
    shop.config.write_text(re.sub(r"folder: \S+templates", f"folder: {texts}", shop.config.read_text()))
    process.send_signal(signal.SIGHUP)
    until(lambda: list((shop.folder / "outbox").glob("NOTE*")), within=30, what="a note on the broken text")
    process.terminate()
    process.communicate(timeout=20)
    (note,) = (shop.folder / "outbox").glob("NOTE*")
    assert "nobody_knows_this" in note.read_text(encoding="utf-8")


def test_a_held_mail_can_be_retried(shop: Shop):
    assert "nothing that is held" in str(shop.types("retry", "0123456789abcdef").exception)


def test_migrate_says_where_the_store_stands(shop: Shop):
    assert re.fullmatch(r"the store is at revision \w+\n", shop.says("migrate"))


@pytest.fixture
def running(shop: Shop) -> Iterator[tuple[Shop, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "pipeline.cli", "--log", "json", "run"]
    process = subprocess.Popen(
        command, cwd=shop.folder, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    until(lambda: shop.told("status", "--json")["heartbeat"], within=60, what="the daemon")
    yield shop, process
    process.kill()
    process.wait()


def test_the_daemon_works_reloads_and_ends_in_good_order(running: tuple[Shop, subprocess.Popen[str]]):
    shop, process = running
    shop.arrives(mail(CANCEL))
    until(lambda: list((shop.folder / "outbox" / "review").iterdir()), within=30, what="a draft")
    shop.config.write_text(shop.config.read_text() + "\nnonsense: 1\n")
    process.send_signal(1)
    until(lambda: list((shop.folder / "outbox").glob("NOTE*")), within=30, what="a note on the wrong configuration")
    began = time.monotonic()
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert any("old one stays" in line["text"] for line in lines)
    assert "maria" not in errors.lower()
