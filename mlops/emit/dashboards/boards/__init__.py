"""Boards, a file each: ``board`` makes one of what a file declares, None where it declares nothing of the kind."""
