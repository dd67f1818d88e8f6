"""Servers for tests: a fake of the public indexes, an identity issuer, and a proxy for their hosts."""
