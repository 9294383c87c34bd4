"""A study in, findings out: which parser fits, and one parser per kind of study."""
