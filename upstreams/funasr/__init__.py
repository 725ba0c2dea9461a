"""emotion2vec and data2vec 2.0 through FunASR's implementation."""
