"""Say how well mails are understood. The daemon never imports this."""
