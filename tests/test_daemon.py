"""The daemon's own promises: guards, alarms, signals, one instance. What the jobs do is tested elsewhere."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import World, mail, make_world
from filelock import FileLock

from pipeline import daemon, jobs
from pipeline.core.records import Scores
from pipeline.daemon import ALARM_AFTER, LONGEST_WAIT, SOON, Daemon, Guard, only_instance
from pipeline.errors import AnotherInstance, ConfigError, NeedsHuman, StoreBroken, TryLater, Unreachable
from pipeline.site import Site


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    jobs.poll(made.site)
    made.clock.forward(minutes=1)
    return made


def failing(error: Exception) -> Callable[[Site], int]:
    def job(_site: Site) -> int:
        raise error

    return job


def alarms(world: World) -> list[str]:
    return [alarm.text for alarm in world.site.store.control.alarms()]


def notes(world: World) -> list[str]:
    return [note.read_text(encoding="utf-8") for note in world.outbox.glob("NOTE*")]


def test_waits_grow_and_end_at_fifteen_minutes():
    guard = Guard("poll", failing_since=-ALARM_AFTER)
    waits = []
    for _ in range(12):
        guard.failed(0.0, slowly=False)
        waits.append(guard.wait)
        assert guard.wait / 2 <= guard.not_before <= guard.wait
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == LONGEST_WAIT


def test_the_alarm_does_not_wait_for_a_long_wait_to_end():
    guard = Guard("poll")
    at = 0.0
    while not guard.failed(at, slowly=False):
        at = guard.not_before
    assert at == ALARM_AFTER


def test_where_nobody_answers_the_waits_stay_short(world: World):
    daemon = Daemon(world.site)
    for _ in range(12):
        daemon._guards.setdefault("poll", Guard("poll")).not_before = 0.0
        assert daemon.attempt("poll", failing(Unreachable("refused"))) == -1
    assert daemon._guards["poll"].wait == SOON <= 30


def test_what_comes_back_by_itself_alarms_after_five_minutes_only():
    guard = Guard("poll")
    assert not guard.failed(0.0, slowly=False)
    assert not guard.failed(ALARM_AFTER - 1, slowly=False)
    assert guard.failed(ALARM_AFTER, slowly=False)


def test_success_forgets_the_failures():
    guard = Guard("poll")
    guard.failed(0.0, slowly=True)
    assert guard.succeeded()
    assert guard.ready(0.0)
    assert not guard.succeeded()


@pytest.mark.parametrize("error", [NeedsHuman("wrong password"), StoreBroken("disk is full"), ValueError("a bug")])
def test_what_needs_a_person_is_told_at_once_in_the_store_and_in_the_outbox(world: World, error: Exception):
    assert Daemon(world.site).attempt("poll", failing(error)) == -1
    assert alarms(world) == [f"poll: {error}"]
    assert notes(world) == [f"poll: {error}\n"]


def test_one_failing_job_does_not_keep_the_others_from_running(world: World):
    one = Daemon(world.site)
    one.attempt("poll", failing(ValueError("a bug")))
    assert one.attempt("work", lambda site: 7) == 7


def test_a_failed_job_waits_before_it_is_tried_again(world: World):
    one = Daemon(world.site)
    one.attempt("poll", failing(TryLater("away")))
    assert one.attempt("poll", lambda site: 7) == 0


def test_the_alarm_is_over_when_the_job_works_again(world: World):
    one = Daemon(world.site)
    one.attempt("poll", failing(NeedsHuman("wrong password")))
    one._guards["poll"].not_before = 0.0
    assert one.attempt("poll", lambda site: 7) == 7
    assert (alarms(world), notes(world)) == ([], [])


def test_an_alarm_of_an_earlier_process_is_over_when_the_job_works(world: World):
    Daemon(world.site).attempt("poll", failing(NeedsHuman("wrong password")))
    Daemon(world.site).attempt("poll", lambda site: 7)
    assert (alarms(world), notes(world)) == ([], [])


def test_an_alarm_outlasts_a_reload_until_the_job_works_again(world: World):
    one = Daemon(world.site, reload=lambda site: site)
    one.attempt("poll", failing(NeedsHuman("wrong password")))
    one._reload()
    assert len(alarms(world)) == 1
    assert one.attempt("poll", lambda site: 7) == 7
    assert (alarms(world), notes(world)) == ([], [])


def test_the_reps_are_told_even_when_the_store_takes_no_alarm(world: World, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> bool:
        raise StoreBroken("disk is full")

    monkeypatch.setattr(world.site.store.control, "raise_alarm", broken)
    assert Daemon(world.site).attempt("work", failing(StoreBroken("disk is full"))) == -1
    assert notes(world) == ["work: disk is full\n"]


def test_once_takes_a_mail_the_whole_way(world: World):
    world.inbox.arrive(mail("Please cancel my membership, it is too expensive."))
    done = Daemon(world.site).once()
    assert (done["poll"], done["work"], done["send"]) == (1, 1, 1)
    assert len(world.delivery.delivered_mails) == 1


def test_once_says_which_job_failed(world: World):
    world.inbox.trouble = TryLater("no answer from the server")
    done = Daemon(world.site).once()
    assert done["poll"] == -1
    assert done["work"] == 0


def test_a_start_after_a_crash_releases_what_was_claimed(world: World):
    world.inbox.arrive(mail("Please cancel my membership, it is too expensive."))
    jobs.poll(world.site)
    jobs.work(world.site)
    world.site.store.sends.claim(5, "the crashed one", world.site.caps, world.clock())
    Daemon(world.site).once()
    assert len(world.delivery.delivered_mails) == 1


def test_a_second_instance_is_turned_away(tmp_path: Path):
    with FileLock(tmp_path / "lock"), pytest.raises(AnotherInstance, match="another winback works"):
        only_instance(tmp_path / "lock").__enter__()


def test_a_store_whose_folder_is_a_file_is_one_clear_sentence(tmp_path: Path):
    (tmp_path / "state").touch()
    with pytest.raises(StoreBroken, match="state/lock: the store can't be locked"):
        only_instance(tmp_path / "state" / "lock").__enter__()


def test_after_the_first_one_ends_the_next_may_start(tmp_path: Path):
    for _ in range(2):
        with only_instance(tmp_path / "state" / "lock"):
            pass


class Running:
    """The daemon in the main thread, with somebody beside it who sends signals when a condition holds."""

    def __init__(self, one: Daemon) -> None:
        self.one = one
        self.began = 0.0

    def until(self, holds: Callable[[], bool], number: int) -> float:
        """Run until the condition holds, then send the signal; returns the seconds from the signal to the end."""

        def watch() -> None:
            deadline = time.monotonic() + 20
            while not holds() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.began = time.monotonic()
            os.kill(os.getpid(), number)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.one.run()
        ended = time.monotonic()
        watcher.join()
        return ended - self.began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_five_seconds(world: World, number: int):
    one = Daemon(world.site)
    assert Running(one).until(lambda: world.site.store.control.heartbeat() is not None, number) < 5


def test_a_job_that_hangs_is_broken_off_after_the_signal(world: World, monkeypatch: pytest.MonkeyPatch):
    hanging = threading.Event()

    def hang(_site: Site) -> int:
        hanging.set()
        time.sleep(30)
        return 1

    monkeypatch.setattr(daemon, "JOBS", (("hang", 1, hang),))
    assert Running(Daemon(world.site)).until(hanging.is_set, signal.SIGTERM) < 5


def test_a_model_that_hangs_is_left_behind_after_the_signal(world: World):
    asked, over = threading.Event(), threading.Event()

    class Hangs:
        def score(self, texts: Sequence[str]) -> list[Scores]:
            asked.set()
            over.wait(30)
            raise TryLater("the scorer was closed")

    world.inbox.arrive(mail("Please cancel, it is too expensive."))
    took = Running(Daemon(replace(world.site, model=Hangs()))).until(asked.is_set, signal.SIGTERM)
    over.set()
    assert took < 5


def test_the_signal_handlers_are_given_back(world: World):
    before = signal.getsignal(signal.SIGTERM)
    Running(Daemon(world.site)).until(lambda: world.site.store.control.heartbeat() is not None, signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def reloaded(world: World, reload: Callable[[Site], Site]) -> Daemon:
    """A daemon that got SIGHUP, worked on for some rounds, and then SIGTERM."""
    rounds = []

    def after_round(_site: Site) -> None:
        rounds.append(1)
        if len(rounds) == 2:
            os.kill(os.getpid(), signal.SIGHUP)
        if len(rounds) == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    one = Daemon(world.site, reload=reload, after_round=after_round)
    one.run()
    return one


def test_sighup_takes_the_new_configuration(world: World):
    one = reloaded(world, lambda site: replace(site, owner="new"))
    assert one.site.owner == "new"


def test_sighup_takes_the_new_pace_of_polling(world: World, monkeypatch: pytest.MonkeyPatch):
    polled: list[str] = []
    monkeypatch.setattr(daemon, "JOBS", (("poll", 60, lambda site: polled.append(site.owner) or 0),))
    one = Daemon(world.site, reload=lambda site: replace(site, owner="new", poll_every=timedelta(seconds=1)))
    asked = []

    def polled_anew() -> bool:
        if polled and not asked:
            asked.append(os.kill(os.getpid(), signal.SIGHUP))
        return "new" in polled

    Running(one).until(polled_anew, signal.SIGTERM)
    assert "new" in polled


def test_a_restart_with_a_good_configuration_takes_the_note_on_the_wrong_one_away(world: World):
    world.site.outbox.note("config", "The new configuration is not used")
    Running(Daemon(world.site)).until(lambda: world.site.store.control.heartbeat() is not None, signal.SIGTERM)
    assert notes(world) == []


def test_a_wrong_new_configuration_is_refused_and_the_old_one_stays(world: World):
    def refuse(_site: Site) -> Site:
        raise ConfigError("config.yaml:3: business.name: expected text")

    one = reloaded(world, refuse)
    assert one.site.owner == "test"
    assert "config.yaml:3" in notes(world)[0]


def zone_with_a_change(shift: int) -> str:
    """A POSIX time zone (as in `man tzset`) whose clocks change by `shift` hours about two seconds from now."""
    change = time.gmtime(time.time() + 2)
    ahead = shift < 0  # before the end of summer time the clocks are an hour ahead of UTC
    soon = f"{change.tm_yday - 1}/{change.tm_hour + ahead}:{change.tm_min:02}:{change.tm_sec:02}"
    other = str((change.tm_yday + 180) % 360)  # the year's other change
    begin, end = (soon, other) if shift > 0 else (other, soon)
    return f"WIN0SUM-1,{begin},{end}"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the time zone of this process for one test."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("shift", [-1, 1])
def test_no_job_waits_for_an_hour_when_summer_time_ends_or_begins(
    world: World, monkeypatch: pytest.MonkeyPatch, zone: Callable[[str], None], shift: int
):
    zone(zone_with_a_change(shift))
    before, ran = time.localtime().tm_isdst, []
    monkeypatch.setattr(daemon, "JOBS", (("work", 1, lambda site: ran.append(time.localtime().tm_isdst) or 0),))
    Running(Daemon(world.site)).until(lambda: ran.count(1 - before) >= 3, signal.SIGTERM)
    assert ran.count(1 - before) >= 3
    assert len(ran) < 20


def test_a_clock_set_ahead_makes_no_sent_mail_older(world: World, monkeypatch: pytest.MonkeyPatch):
    world.inbox.arrive(mail("Please cancel my membership, it is too expensive."))
    offset, rounds, real = [0.0], [], time.time
    monkeypatch.setattr(daemon.time, "time", lambda: real() + offset[0])

    def after_round(_site: Site) -> None:
        rounds.append(1)
        offset[0] = 3600.0
        if len(rounds) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    Daemon(world.site, after_round=after_round).run()
    sent = world.site.store.past.of_address("maria@example.org").last_automatic
    assert sent - world.clock() == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=1))


def test_a_jump_of_the_clock_sets_the_metronome_anew(world: World, monkeypatch: pytest.MonkeyPatch, caplog):
    offset = [0.0]
    real = time.time
    monkeypatch.setattr(daemon.time, "time", lambda: real() + offset[0])
    rounds = []

    def after_round(_site: Site) -> None:
        rounds.append(1)
        if len(rounds) == 1:
            offset[0] = -3600.0
        if len(rounds) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    Daemon(world.site, after_round=after_round).run()
    assert "the clock jumped by -3600 s" in caplog.text
