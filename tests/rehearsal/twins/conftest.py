from pathlib import Path

import pytest

from rehearsal.twins.ca import CertificateAuthority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    directory: Path = tmp_path_factory.mktemp("authority")
    return CertificateAuthority(directory)
