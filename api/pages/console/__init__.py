"""Pages for people of the merchant: who is signed in, and the transcripts."""
