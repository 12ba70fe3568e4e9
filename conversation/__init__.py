"""Inbox, turn, outbox, delivery, transcript and handoff of a conversation; and what is said."""
