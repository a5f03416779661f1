"""How noisy an image is, and in what way: measured blindly, and made alike by stabilising."""
