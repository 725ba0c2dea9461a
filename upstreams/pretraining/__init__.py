"""emotion2vec's own pre-training: online distillation on unlabelled speech, and the models that come of it."""
