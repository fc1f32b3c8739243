-- Flows, the one that was run last first.
SELECT name, text, pipes, epoch_ms(written_at) FROM flows ORDER BY k DESC
