"""The daemon: a metronome with a guard round every job, signals, and an orderly end. It decides nothing about mail."""

from __future__ import annotations

import calendar
import logging
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import FrameType

import schedule
from filelock import FileLock, Timeout

from pipeline import gestures, jobs, moments
from pipeline.errors import AnotherInstance, ConfigError, Halted, NeedsHuman, StoreBroken, TryLater, Unreachable, WinbackError
from pipeline.site import Site

log = logging.getLogger("winback")

TICK = 1.0
LEAVE_WITHIN = 4.0
CLOCK_JUMP = 5.0
FIRST_WAIT, LONGEST_WAIT = 5.0, 900.0
SOON = 30.0  # nobody is there to be bothered: work goes on this soon after the other side is back
ALARM_AFTER = 300.0

# name, seconds between two runs, job. `poll` also runs as soon as the mailbox says that something arrived.
JOBS: tuple[tuple[str, float, Callable[[Site], int]], ...] = (
    ("poll", 60, jobs.poll),
    ("work", 1, jobs.work),
    ("collect", 1, gestures.collect),
    moments.JOB,
    ("remind", 10, jobs.remind),
    ("letter", 600, jobs.letter),
    ("reissue", 3600, jobs.reissue),
    ("publish", 1, jobs.publish),
    ("evidence", 120, jobs.evidence),
    ("send", 1, jobs.send),
    ("watch", 10, jobs.watch),
    ("tidy", 3600, jobs.tidy),
)


class Leaving(BaseException):
    """The time to leave is over: whatever still runs is broken off. Its row is found again at the next start."""


@contextmanager
def only_instance(path: Path) -> Iterator[None]:
    """Hold the lock of a store. Raises AnotherInstance when somebody else does."""
    lock = FileLock(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AnotherInstance(f"{path}: another winback works on this store. Stop it first, or leave it to work") from error
    except OSError as error:
        raise StoreBroken(
            f"{path}: the store can't be locked: {error.strerror}: its folder must be one that winback may write to"
        ) from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Clocks:
    """How far the clock, and the local time that `schedule` goes by, are ahead of the time since the machine started.

    Local time jumps twice a year: in autumn a job that is due at 03:00:00 would wait for an hour, for 02:00 comes again.
    """

    clock: float
    local: float

    @classmethod
    def read(cls) -> Clocks:
        """Read them now. The machine's sleep counts as time that passed."""
        steady = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
        return cls(clock=time.time() - steady, local=calendar.timegm(time.localtime()) - steady)


@dataclass
class Guard:
    """One job's luck: after a failure it waits, longer each time, and after five minutes without success it raises an alarm."""

    name: str
    wait: float = 0.0
    not_before: float = 0.0
    failing_since: float | None = None
    proven: bool = False

    def ready(self, at: float) -> bool:
        """Whether the job may run at this monotonic time."""
        return at >= self.not_before

    def failed(self, at: float, *, slowly: bool, longest: float = LONGEST_WAIT) -> bool:
        """Count a failure; True when it is time for an alarm."""
        self.proven = False
        self.failing_since = at if self.failing_since is None else self.failing_since
        self.wait = min(longest, max(self.wait * 2, 60.0 if slowly else FIRST_WAIT))
        # Full jitter, so that many clients of one server do not come back in step.
        self.not_before = at + random.uniform(self.wait / 2, self.wait)  # noqa: S311 - a spread of waits, no secret
        alarm = self.failing_since + ALARM_AFTER
        if at < alarm:
            # The try that raises the alarm is not put off by a long wait that began just before.
            self.not_before = min(self.not_before, alarm)
        return slowly or at - self.failing_since >= ALARM_AFTER

    def hurry(self) -> None:
        """Let the job run at once, without forgetting its failures."""
        self.wait, self.not_before = 0.0, 0.0

    def succeeded(self) -> bool:
        """Forget the failures; True at the first success ever and after each failure: an alarm may be there then."""
        before, self.proven, self.failing_since = self.proven, True, None
        self.hurry()
        return not before


@dataclass
class Daemon:
    """Runs the jobs of a site until it is told to end. `reload` builds a new site from the configuration, or raises.

    `poll_every` are seconds that go before what the site says.
    """

    site: Site
    poll_every: float | None = None
    reload: Callable[[Site], Site] | None = None
    after_round: Callable[[Site], None] | None = None
    leaving: bool = False
    _reload_wanted: bool = False
    _guards: dict[str, Guard] = field(default_factory=dict)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; end within five seconds of it."""
        with self._signals() as wake:
            self._recover()
            self._all_clear("config")
            scheduler, clocks = self._scheduler(), Clocks.read()
            scheduler.run_all()
            while not self.leaving:
                reloaded = self._reload_wanted and self._reload()
                if self._set_anew(clocks) or reloaded:
                    scheduler, clocks = self._scheduler(), Clocks.read()
                scheduler.run_pending()
                if self.after_round:
                    self.after_round(self.site)
                if not self.leaving and self._something_arrived(wake):
                    self.attempt("poll", jobs.poll)
                    self.attempt("work", jobs.work)
        log.info("ended in good order")

    def once(self) -> dict[str, int]:
        """Run every job once, in the order of a mail's way, and tell what each did. Errors are logged and counted as -1."""
        self._recover()
        order = "poll work collect appointments remind letter reissue publish evidence send publish watch tidy".split()
        todo = {name: job for name, _, job in JOBS}
        done: dict[str, int] = {}
        for name in order:
            got = self.attempt(name, todo[name])
            done[name] = -1 if got < 0 or done.get(name, 0) < 0 else done.get(name, 0) + got
        return done

    def attempt(self, name: str, job: Callable[[Site], int]) -> int:
        """Run one job under its guard. Returns what it did, 0 when it has to wait, -1 when it failed. Raises nothing."""
        guard = self._guards.setdefault(name, Guard(name))
        if self.leaving or not guard.ready(time.monotonic()):
            return 0
        try:
            done = job(self.site)
        except Unreachable as error:
            self._failure(guard, error, slowly=False, longest=SOON)
        except Halted as error:
            self._failure(guard, error, slowly=True, longest=SOON)
        except TryLater as error:
            self._failure(guard, error, slowly=False)
        except (NeedsHuman, StoreBroken, ConfigError, WinbackError) as error:
            self._failure(guard, error, slowly=True)
        except Exception as error:
            log.exception("%s failed in a way that nobody foresaw", name)
            self._failure(guard, error, slowly=True)
        else:
            if guard.succeeded():
                self._all_clear(name)
            return done
        return -1

    def _failure(self, guard: Guard, error: Exception, *, slowly: bool, longest: float = LONGEST_WAIT) -> None:
        alarm = guard.failed(time.monotonic(), slowly=slowly, longest=longest)
        log.warning("%s: %s (again in about %.0f s)", guard.name, error, guard.wait)
        if not alarm:
            return
        text = f"{guard.name}: {error}"
        _tried("the alarm can't be stored", lambda: self.site.store.control.raise_alarm(guard.name, text, self.site.now()))
        self._note(guard.name, text)

    def _note(self, name: str, text: str) -> None:
        _tried("the note for the reps can't be written", lambda: self.site.outbox.note(name, text))

    def _all_clear(self, name: str) -> None:
        """End the alarm of this name, whichever process raised it."""
        _tried("the end of an alarm can't be stored", lambda: self._end_alarm(name))
        _tried("a note that is out of date can't be taken away", lambda: self.site.outbox.clear_note(name))

    def _end_alarm(self, name: str) -> None:
        if self.site.store.control.clear_alarm(name, self.site.now()):
            log.info("%s works again", name)

    def _recover(self) -> None:
        queued, uncertain = self.site.store.sends.recover(self.site.now(), everything=True)
        if queued or uncertain:
            log.warning("after an interruption: %d sends wait again, %d are uncertain", queued, uncertain)

    def _scheduler(self) -> schedule.Scheduler:
        scheduler = schedule.Scheduler()
        for name, seconds, job in (*JOBS, ("heartbeat", 30, self._beat)):
            every = (self.poll_every or self.site.poll_every.total_seconds()) if name == "poll" else seconds
            scheduler.every(max(1, int(every))).seconds.do(self.attempt, name, job)
        return scheduler

    def _beat(self, site: Site) -> int:
        site.store.control.beat(site.owner, site.now())
        return 1

    def _something_arrived(self, wake: int) -> bool:
        guard = self._guards.setdefault("poll", Guard("poll"))
        if not guard.ready(time.monotonic()):
            _sleep(TICK, wake)
            return False
        try:
            arrived = self.site.inbox.wait(TICK)
        except Unreachable as error:
            self._failure(guard, error, slowly=False, longest=SOON)
            return False
        except TryLater as error:
            self._failure(guard, error, slowly=False)
            return False
        except (NeedsHuman, WinbackError) as error:
            self._failure(guard, error, slowly=True)
            return False
        _drain(wake)
        return arrived

    def _reload(self) -> bool:
        """Take the new configuration, if it can be used. Returns whether it is in force."""
        self._reload_wanted = False
        if self.reload is None:
            return False
        try:
            self.site = replace(self.reload(self.site), leaving=lambda: self.leaving)
        except WinbackError as error:
            log.error("the new configuration is not used, the old one stays:\n%s", error)
            self._note("config", f"The new configuration is not used, the old one stays:\n{error}")
            return False
        self._all_clear("config")
        for guard in self._guards.values():
            guard.hurry()
        log.info("the new configuration is in force")
        return True

    def _set_anew(self, before: Clocks) -> bool:
        """Whether a clock was set since `before`; the caps then go on as if no time had passed meanwhile."""
        now = Clocks.read()
        jump, local = now.clock - before.clock, now.local - before.local
        if abs(jump) > CLOCK_JUMP:
            log.warning("the clock jumped by %.0f s; all jobs are set anew", jump)
        if jump > CLOCK_JUMP:
            by = timedelta(seconds=jump)
            self.attempt("clock", lambda site: site.store.sends.clock_set_ahead(by, site.now()))
        return max(abs(jump), abs(local)) > CLOCK_JUMP

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Let signals set flags and end the wait; SIGALRM breaks off what takes too long after SIGTERM."""
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

        def leave(_number: int, _frame: FrameType | None) -> None:
            self.leaving = True
            signal.setitimer(signal.ITIMER_REAL, LEAVE_WITHIN)

        def too_long(_number: int, _frame: FrameType | None) -> None:
            raise Leaving

        def reload(_number: int, _frame: FrameType | None) -> None:
            self._reload_wanted = True

        handlers = {signal.SIGTERM: leave, signal.SIGINT: leave, signal.SIGALRM: too_long, signal.SIGHUP: reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        old_fd = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self.site = replace(self.site, leaving=lambda: self.leaving)
        try:
            yield read
        except Leaving:
            log.warning("broken off after %.0f s; the row in hand is found again at the next start", LEAVE_WITHIN)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(read)
            os.close(write)


def _tried(trouble: str, act: Callable[[], object]) -> None:
    try:
        act()
    except WinbackError as error:
        log.error("%s: %s", trouble, error)


def _sleep(seconds: float, wake: int) -> None:
    select.select([wake], [], [], seconds)
    _drain(wake)


def _drain(wake: int) -> None:
    try:
        while os.read(wake, 512):
            pass
    except BlockingIOError:
        pass
