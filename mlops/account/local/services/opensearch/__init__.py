"""OpenSearch Service: there is none here, and whoever asks for a domain hears that."""
