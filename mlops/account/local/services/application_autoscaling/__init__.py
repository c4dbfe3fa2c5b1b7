"""Application Auto Scaling, of variants: it is kept what scales what, and nothing is scaled by it here."""
