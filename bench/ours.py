"""`winback once` over a mailbox, with everything on: the jobs of the daemon, timed from the first look to the last file."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from peak import peak_megabytes
from warm import warm

from pipeline import app
from pipeline.config import load
from pipeline.daemon import Daemon, only_instance

config = load(Path(sys.argv[1]))
logging.disable(logging.INFO)
with only_instance(app.lock_path(config)), app.build(config) as site:
    warm(site)
    began = time.perf_counter()
    done = Daemon(site).once()
    seconds = time.perf_counter() - began
    drafts = len(site.store.drafts.waiting())
    print(
        json.dumps({"mails": done["poll"], "drafts": drafts, "seconds": seconds, "megabytes": peak_megabytes(), "jobs": done})
    )
