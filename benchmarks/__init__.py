"""What the package costs and what it achieves, measured side by side with what it replaces."""
