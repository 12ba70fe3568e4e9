"""Online payments: providers behind one Protocol, and what their notices do to the books."""
