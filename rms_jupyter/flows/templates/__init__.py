"""Templates: functions of parameters whose calls of pipes are predicted, put off, or made at once."""
