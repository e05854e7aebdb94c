"""What the explorer shows and keeps, as data: nothing here is a widget, or knows where it is drawn."""
