"""winback: reads a mailbox, answers cancellations kindly, follows up and stops when it should."""
