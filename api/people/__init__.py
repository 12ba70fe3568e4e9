"""Who may do what: the merchant's people, their roles, how they sign in, and what they did."""
