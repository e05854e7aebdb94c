"""Steps and a session make a verdict."""
