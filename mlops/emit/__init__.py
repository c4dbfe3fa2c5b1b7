"""Other forms of a checked definition: text in, text out. Imports only the IR, writes no file, calls nobody."""
