"""An asyncio client for Kantata OX (formerly Mavenlink)."""
