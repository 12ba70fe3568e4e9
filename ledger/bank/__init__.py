"""Bank statements: files read into movements, and movements matched with claims.

``intake.py`` and ``review.py`` work on a session; all else here is pure.
"""
