"""Judges that are slow or foreign: each is a file in ``judges/``, has an environment of its own, and is asked by
``make proofs``. A test names the judge that it needs: ``@pytest.mark.proof("sdk2")``."""
