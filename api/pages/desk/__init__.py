"""The desk: conversations that need a person."""
