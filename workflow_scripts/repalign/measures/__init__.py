"""Measures of a system, or of two with a correspondence: functions of arrays, intervals, rows of the tidy table."""
