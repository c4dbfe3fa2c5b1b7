"""Virtual environments that stand for images, below ``.mlops/images``: a folder each, named by what it is made of.

``shelf`` finds them and keeps what is wanted, ``pythons`` finds interpreters of this machine, ``building`` makes one
with pip as this machine has it set up, and ``nearest`` chooses another version where there is none for that Python.
Runs only read the shelf; they build nothing.
"""
