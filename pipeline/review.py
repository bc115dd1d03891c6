"""What reps do from the terminal: the same as moving files, on the same rows."""

from __future__ import annotations

from collections.abc import Callable

from pipeline import gestures, jobs
from pipeline.core.compose import whole_body
from pipeline.edges.outbox import Found, shown, titled
from pipeline.errors import NeedsHuman, TextRefused, TryLater, WinbackError
from pipeline.site import Site
from pipeline.store import StoredDraft

_FILE_STAYS = "its file still lies in review/, and does no harm there"


class NotFound(WinbackError):
    """What was named is not there, or is not one thing."""


def find(site: Site, beginning: str) -> StoredDraft:
    """The draft whose key begins like this. Raises NotFound when there is none, or more than one that waits."""
    found = site.store.drafts.find(beginning)
    waiting = [stored for stored in found if stored.state == "waiting"]
    if len(waiting) == 1:
        return waiting[0]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"no draft begins with {beginning}: `winback review list` shows those that wait")
    raise NotFound(f"{len(found)} drafts begin with {beginning}: type more of it")


def words(site: Site, stored: StoredDraft) -> tuple[str, str, str]:
    """Subject and text of a draft as they would be sent, and a remark on its file if there is one to make."""
    as_stored = stored.draft.subject, whole_body(stored.draft)
    if stored.state != "waiting":
        return *as_stored, ""
    try:
        file = _its_file(site, stored)
    except WinbackError as error:
        return *as_stored, f"this is the text as winback wrote it: {error}"
    if file is None or not _edited(file, stored):
        return *as_stored, ""
    return file.subject or stored.draft.subject, file.text, f"edited in {file.folder}/{file.name}"


def approve(site: Site, beginning: str) -> str:
    """Release a waiting draft with the words that its file holds; say in a sentence what happens."""
    stored = _waiting(find(site, beginning))
    file, key = _its_file(site, stored), stored.draft.key
    text, subject = (file.text, file.subject) if file else (None, None)
    try:
        done = gestures.approve(site, stored, text, subject, by="terminal")
    except TextRefused as error:
        raise TextRefused(f"{key[:8]} is not sent: {error}") from error
    if not done:
        _waiting(find(site, key))
    edited = ", as edited in its file," if file and _edited(file, stored) else ""
    said = f"{key[:8]} to {stored.draft.recipient.address} is approved{edited} and goes out with the next round"
    return said + _unless(lambda: _take_file_away(site, stored), _FILE_STAYS)


def reject(site: Site, beginning: str) -> str:
    """Say no to a waiting draft."""
    stored = _waiting(find(site, beginning))
    trouble = _unless(lambda: gestures.reject(site, stored, by="terminal"), _FILE_STAYS)
    now = find(site, stored.draft.key)
    if now.state != "rejected":
        _waiting(now)
    return f"{stored.draft.key[:8]} to {stored.draft.recipient.address} is rejected; nothing is sent{trouble}"


def correct(site: Site, beginning: str, to: str) -> str:
    """Say what a mail really is; a new draft with the right text takes the place of the old one."""
    stored = find(site, beginning)
    if not gestures.correct(site, stored.draft.case, to, by="terminal"):
        raise NotFound(f"{stored.draft.key[:8]}: {gestures.why_not_corrected(site, stored.draft.case, stored.draft)}")
    return f"{stored.draft.key[:8]} is corrected to {to}" + _unless(lambda: jobs.publish(site), "the files follow later")


def retry(site: Site, beginning: str) -> str:
    """Try what is held once more: read a mail again, or send an answer again. Its file in held/ goes."""
    mails = site.store.drafts.held_like(beginning)
    sends = [key for start in (beginning, f"mail:{beginning}") for key in site.store.sends.to_retry(start)]
    if len(mails) + len(sends) > 1:
        raise NotFound(f"{len(mails) + len(sends)} things that are held begin with {beginning}: type more of it")
    if not mails and not sends:
        raise NotFound(f"{beginning}: nothing that is held and can be retried has this key; {_WHERE}")
    return _retry_send(site, sends[0]) if sends else _retry_mail(site, *mails[0])


_WHERE = "keys stand in the files in outbox/held/ (X-Winback-Mail, or X-Winback-Draft for an answer); a beginning will do"


def _retry_send(site: Site, key: str) -> str:
    # The row first: should the mail be held again at any moment, it gets a file of its own.
    site.store.sends.unshown(key)
    trouble = _unless(lambda: site.outbox.discard(key.removeprefix("mail:"), "held"), "its old file still lies in held/")
    if not site.store.sends.queue_again(key, "a person said so", site.now()):
        raise NotFound(f"{key}: is not held any more")
    return f"{key} is tried again with the next round{trouble}"


def _retry_mail(site: Site, key: str, reason: str) -> str:
    site.store.drafts.held_unshown(key)
    trouble = _unless(lambda: site.outbox.discard(key, "held"), "its old file still lies in held/")
    if not site.store.intake.retry(key, site.now()):
        jobs.publish(site)
        raise NotFound(f"{key[:8]}: nothing that can be retried, reading it again changes nothing: {jobs.why_held(reason)}")
    return f"{key} is tried again with the next round{trouble}"


def _waiting(stored: StoredDraft) -> StoredDraft:
    if stored.state != "waiting":
        raise NotFound(f"{stored.draft.key[:8]} was {stored.state} before ({stored.by}); it can't be changed any more")
    return stored


def _its_file(site: Site, stored: StoredDraft) -> Found | None:
    """The file whose words count, or None: then nobody edited them. Raises WinbackError when that can't be told."""
    files, key = site.outbox.versions(stored.draft.key), stored.draft.key[:8]
    if moved := [file for file in files if file.folder != "review"]:
        raise NotFound(f"{key} lies in {moved[0].folder}/: what that means is carried out with the next round")
    if not files and (astray := site.outbox.astray([stored.draft.key])):
        raise NotFound(f"{key} lies in {astray[0][1]}/, where only ended ones belong: move its file to review/ or approved/")
    if problems := [f"review/{file.name}: {file.problem}" for file in files if file.problem]:
        raise NotFound(f"{key} can't be used as it is: {'; '.join(problems)}")
    if len({(file.subject, file.text) for file in files}) > 1:
        names = ", ".join(file.name for file in files)
        raise NotFound(f"{key} has files with different words in review/: {names}: delete all but the one you mean")
    return files[0] if files else None


def _edited(file: Found, stored: StoredDraft) -> bool:
    return (file.text, file.subject or titled(stored.draft)) != (shown(stored.draft), titled(stored.draft))


def _take_file_away(site: Site, stored: StoredDraft) -> None:
    if stored.file:
        site.outbox.discard(stored.draft.key)


def _unless(act: Callable[[], object], otherwise: str) -> str:
    """Bring the files up to date with what is written down already, and say nothing, or what is otherwise and why."""
    try:
        act()
    except (TryLater, NeedsHuman) as error:
        return f"; but {otherwise}: {error}"
    return ""
