"""What builds and checks this project; nothing of it runs in the service."""
