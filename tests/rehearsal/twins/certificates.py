"""Client certificates of our own, for the tests of origin pulls."""

import trustme


def client_certificate(host: str) -> tuple[str, str]:
    """A certificate for `host` and its key, PEM."""
    leaf = trustme.CA().issue_cert(host)
    return leaf.cert_chain_pems[0].bytes().decode(), leaf.private_key_pem.bytes().decode()
