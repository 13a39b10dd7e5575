"""Measures a broker of a Hub beside what others put before an API: oauth2-proxy with sessions in Redis, and nginx."""
