"""Never connects, and stays."""

import signal

print("I have my own plans", flush=True)
signal.pause()
