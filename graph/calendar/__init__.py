"""Calendars as files: times read from iCalendar (RFC 5545, RFC 7953) and written to it. Nothing but times is kept."""
