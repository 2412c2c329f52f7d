"""A task of your own, from the notebook's parameters to the folder that is handed over."""
