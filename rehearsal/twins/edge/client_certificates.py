"""The certificate that the edge shows to an origin (Authenticated Origin Pulls).

https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/
"""

import ssl
import tempfile

from rehearsal.twins.zone import ClientCertificate


def presenting(context: ssl.SSLContext, certificate: ClientCertificate) -> ssl.SSLContext:
    """`context`, which from now on shows `certificate` to servers that ask for one.

    Python's ssl reads keys from files alone: this one exists, readable to its owner, until the key is read.
    """
    with tempfile.NamedTemporaryFile(mode="w", suffix=".pem", encoding="ascii") as file:
        file.write(f"{certificate.certificate}\n{certificate.private_key}\n")
        file.flush()
        context.load_cert_chain(file.name)
    return context
