"""Calls to APIs over aiohttp: streamed, bounded in time and size, and never decoded."""
