"""One file per form, each with a ``TARGET``; ``mlops emit`` finds them."""
