"""XNovu: notifications that are due are delivered, and once."""

__version__ = "0.1.0"
