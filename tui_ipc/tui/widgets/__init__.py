"""The widgets of the explorer, one in each module, which is named after it."""
