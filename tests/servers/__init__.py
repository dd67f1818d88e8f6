"""Servers for tests: a stand-in for the public indexes, an identity issuer, and a proxy for their hosts."""
