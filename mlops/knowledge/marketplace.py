"""AWS Marketplace's model packages: who keeps them, in each region."""

MARKETPLACE = frozenset(
    [
        "057799348421",
        "077584701553",
        "136758871317",
        "192199979996",
        "270155090741",
        "382657785993",
        "446921602837",
        "470592106596",
        "594846645681",
        "666831318237",
        "745090734665",
        "843114510376",
        "856760150666",
        "865070037744",
        "977537786026",
        "985815980388",
    ]
)
"""Accounts of the ARNs that sellers publish, a map of regions (public notebooks of sellers, read 2026-11)."""
