"""What Rasa imports: the components of understanding, and the channel of a turn."""
