"""What the training commands are made of: networks, losses, data and files, in PyTorch."""
