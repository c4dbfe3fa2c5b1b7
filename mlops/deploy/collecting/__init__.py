"""Cleaning an account of what promotions left: what is there, what of it nothing needs, and its removal."""
