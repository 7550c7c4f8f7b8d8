"""The plan form: what it offers, how it becomes a document, and what each site will check of it."""
