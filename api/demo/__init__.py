"""The demo: a stand-in of the providers, invented customers, and conversations played out."""
