"""What is fixed: the protocol of a task, its utterances and folds."""
