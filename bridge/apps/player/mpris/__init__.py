"""Players of the desktop, over D-Bus (MPRIS 2.2)."""
