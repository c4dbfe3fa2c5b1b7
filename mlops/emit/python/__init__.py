"""A definition as a Python program in this language: names, expressions, constructors, layout."""
