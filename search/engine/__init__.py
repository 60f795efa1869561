"""How one network is trained, and what that takes."""
