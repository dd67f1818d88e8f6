"""Servers that tests talk to: a stand-in for the public indexes, an identity issuer, and a proxy that leads their hosts here."""
