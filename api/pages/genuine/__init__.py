"""The page on which whoever holds the phone checks that a message is ours."""
