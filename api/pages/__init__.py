"""Pages: routes, templates and styles of one audience each."""
