"""The media player app: any player of the desktop, or the engine built in."""
