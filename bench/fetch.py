"""A plain imapclient fetch of the whole mailbox in batches of 200, as the library comes: nothing is read, nothing is kept."""

from __future__ import annotations

import json
import sys
import time

from imapclient import IMAPClient
from peak import peak_megabytes

port, user, password = sys.argv[1:4]
began = time.perf_counter()
client = IMAPClient("127.0.0.1", port=int(port), ssl=False)
client.login(user, password)
client.select_folder("INBOX", readonly=True)
uids = client.search("ALL")
count = sum(len(client.fetch(uids[at : at + 200], ["BODY.PEEK[]"])) for at in range(0, len(uids), 200))
print(json.dumps({"mails": count, "seconds": time.perf_counter() - began, "megabytes": peak_megabytes()}))
