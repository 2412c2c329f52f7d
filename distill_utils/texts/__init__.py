"""Labelled texts and more texts: what goes in, what a word is, and what a teacher is given to label."""
