"""What is read: the layouts, files and sound of corpora, and whether they are whole."""
