"""The operations of the APIs, read from their OpenAPI documents and written as code (ADR 52)."""
