"""Every error of ours, named by what the daemon does next. Messages say what, where, and what to do."""

from __future__ import annotations


class WinbackError(Exception):
    """Something went wrong that winback has a name for."""


class ConfigError(WinbackError):
    """The configuration can't be used: the program ends with exit code 2, a reload keeps the old one."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class AnotherInstance(WinbackError):
    """Another process works on the same store: the program ends with exit code 75."""


class StoreBroken(WinbackError):
    """The store can't be read or written: nothing is fetched or sent until it can."""


class TryLater(WinbackError):
    """The outside thing is not there or says "not now": the job ends, backs off and comes again."""


class Unreachable(TryLater):
    """Nobody answers there, so nothing was asked of anybody: the job comes again soon, however long that lasts."""


class NeedsHuman(WinbackError):
    """Only a person can mend it (wrong password, folder gone, certificate refused): alarm, then try again slowly."""


class Halted(NeedsHuman):
    """A person must say go; that costs nothing to look for, so work goes on soon after the word."""


class Unreadable(WinbackError):
    """This one mail can't be read: it is counted, held for a person, and the next one goes on."""


class TextRefused(WinbackError):
    """A text failed to render or broke a rule: the draft is held, nothing is sent."""


class Refused(WinbackError):
    """The other side said no for good (5xx): the send is held with its reply."""


class Uncertain(WinbackError):
    """Nobody knows whether the mail went out: it is never sent again without evidence or a person."""


class NoModel(WinbackError):
    """No model has been built yet, or the file is damaged: `winback train` builds it."""


class BadFile(WinbackError):
    """A file that somebody gave us can't be taken over as it is: nothing of it was, and each mistake is named."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
