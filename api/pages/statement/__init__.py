"""The statement of a claim: its items as a page, and as a letter in PDF."""
