"""A certificate authority that only the tests' servers trust."""

import subprocess
from pathlib import Path

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.file, self.key = self.folder / "authority.pem", self.folder / "authority.key.pem"
        openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=The bots' authority", "-keyout", self.key, "-out", self.file)

    def certify(self, name):
        """A certificate for this host name, and its key."""
        certificate, key, request, extensions = (self.folder / f"{name}.{end}" for end in ("pem", "key.pem", "csr", "ext"))
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions.write_text(f"subjectAltName = DNS:{name}\nextendedKeyUsage = serverAuth\n")
        issuer = ["-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-extfile", extensions]
        openssl("x509", "-req", "-in", request, *issuer, "-out", certificate)
        return certificate, key
