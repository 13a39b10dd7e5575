"""The way out that calls to providers and APIs share: TLS, forward proxies, addresses."""
