"""Setting right what is on record: accept, mark, check, verify, delete, run again, and why."""
