"""What a learning management system gives a teacher to download, on its way to ``submitted/``."""
