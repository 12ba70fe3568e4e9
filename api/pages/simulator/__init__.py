"""The simulator: phones of an invented customer, live, and what Kulanz makes of what is written."""
