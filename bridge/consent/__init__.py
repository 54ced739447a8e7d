"""What the owner is being asked, and the surfaces that answer."""
